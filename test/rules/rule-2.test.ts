import { describe, expect, it, onTestFinished } from 'vitest'

import type { NostrEvent } from '../../src/nostr/event.ts'
import type { Filter } from '../../src/nostr/filter.ts'
import { KIND } from '../../src/nostr/kinds.ts'
import { findClaimed } from '../../src/relay/find-claimed.ts'
import { createPeer } from '../../src/relay/peer.ts'
import { announcement, comment, state } from '../support/builders.ts'
import { makeItems, toEvent } from '../support/id-items.ts'
import { runInProcess } from '../support/in-process.ts'
import { createMemoryEndpoint } from '../support/memory-endpoint.ts'
import { alice, bob, carol, smallRepository } from '../support/scenes.ts'
import { startScriptedRelay, type ScriptedRelay } from '../support/scripted-relay.ts'
import { openTemporaryState } from '../support/temporary-state.ts'
import { createWorkbench, endArguments, idsOf, nowSeconds, type Workbench } from '../support/workbench.ts'
import { useRelay } from '../support/ws-double.ts'

/*
 * Rule 2. A checkpoint moves only after every event behind it is settled or parked on disk. `kill -9` at any instant
 * loses nothing: the next run ends with the same target as an undisturbed one.
 */

const scene = smallRepository()
const history = [
  ...scene.events,
  ...smallRepository({ owner: carol, d: 'other', startAt: 1_700_000_000 }).events,
  ...[1, 2, 3].map((hour) => comment(scene.issue, alice, { createdAt: scene.issue.created_at + hour * 3_600 })),
]

type Message = { readonly at: 'source' | 'target'; readonly filter?: Filter; readonly event?: string }

/** Both ends of a run, with a place to hear of every message that either of them receives. */
async function listenToBoth(bench: Workbench, onMessage: (message: Message, number: number) => void) {
  let count = 0
  const hear = (message: Message): 'default' => {
    count += 1
    onMessage(message, count)
    return 'default'
  }
  const start = (at: Message['at']): Promise<ScriptedRelay> =>
    bench.scripted({
      events: at === 'source' ? history : [],
      onReq: ({ filters }) => hear({ at, ...(filters[0] === undefined ? {} : { filter: filters[0] }) }),
      onEvent: ({ id }) => hear({ at, event: id }),
    })
  const [source, target] = await Promise.all([start('source'), start('target')])
  return { source, target, count: () => count }
}

/** A run that is killed at a message, then an undisturbed one: what the target holds in the end. */
async function killThenRun(isInstant: (message: Message, number: number) => boolean) {
  const bench = createWorkbench()
  let kill: (() => void) | undefined
  const { source, target } = await listenToBoth(bench, (message, number) => {
    if (isInstant(message, number)) kill?.()
  })
  const cli = bench.start(['catchup', ...endArguments(source, target)])
  kill = () => cli.kill('SIGKILL')
  const { signal } = await cli.finished
  kill = undefined
  const { code } = await bench.catchup(source, target)
  return { signal, code, target: idsOf(target.events.values()) }
}

const UNHARMED = { signal: 'SIGKILL', code: 0, target: idsOf(history) }

/** How many messages an undisturbed run sends; learnt once. */
let total: Promise<number> | undefined
async function countMessages(): Promise<number> {
  const bench = createWorkbench()
  const { source, target, count } = await listenToBoth(bench, () => undefined)
  expect((await bench.catchup(source, target)).code).toBe(0)
  return count()
}

describe('kill -9', () => {
  it.each([
    ['the first question for deletions', ({ filter }: Message) => filter?.kinds?.join() === '5'],
    ['the first question for versions', ({ at, filter }: Message) => at === 'target' && filter?.['#d'] !== undefined],
    ['the first event', ({ event }: Message) => event !== undefined],
    ['an issue', ({ event }: Message) => event === scene.issue.id],
    ['the last comment', ({ event }: Message) => event === history.at(-1)?.id],
  ])('at %s loses nothing', async (_, isInstant) => expect(await killThenRun(isInstant)).toEqual(UNHARMED))

  it.each([1, 3, 5, 7])('after %i eighths of all messages loses nothing', async (eighths) => {
    const messages = await (total ??= countMessages())
    const instant = Math.max(1, Math.floor((messages * eighths) / 8))
    expect(await killThenRun((_, number) => number === instant)).toEqual(UNHARMED)
  })
})

describe('a checkpoint', () => {
  it('moves past an event that is parked, and the event is sent although no filter brings it again', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: history })
    const target = await bench.scripted({
      onEvent: ({ id }) => (id === scene.comment.id ? { ok: false, text: 'error: database is locked' } : 'default'),
    })
    const first = await bench.catchup(source, target)
    expect([first.code, first.report.totals.parked]).toEqual([3, 1])
    expect(bench.checkpoints(source).map((row) => row.drained_at)).toContain(first.report.startedAt)
    source.events.delete(scene.comment.id)
    delete target.behaviour.onEvent
    const second = await bench.catchup(source, target)
    expect([second.code, idsOf(target.events.values())]).toEqual([0, idsOf(history)])
  })

  it('stays when the target is lost while it is asked what it holds', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: history })
    const target = await bench.scripted({
      onReq: ({ filters, answer }) =>
        filters.some(({ kinds }) => kinds?.join() === '5') ? { ...answer, end: { type: 'drop' } } : 'default',
    })
    expect((await bench.catchup(source, target, '--retries', '0')).code).toBe(3)
    expect(bench.checkpoints()).toEqual([])
    delete target.behaviour.onReq
    expect((await bench.catchup(source, target)).code).toBe(0)
    expect(idsOf(target.events.values())).toEqual(idsOf(history))
  })

  it('stays, of all sources, when the spool has no room for an event that several of them brought', async () => {
    const sources = ['ws://one.example', 'ws://two.example'].map((url) =>
      createMemoryEndpoint({ url, events: history }),
    )
    const { state, db } = openTemporaryState({ maxSpoolBytes: 1 })
    const report = await runInProcess({ sources, target: createMemoryEndpoint(), state })
    expect(report.exit).toBe(3)
    expect(report.problems.map(({ reason }) => reason).join()).toMatch(/the spool is full/)
    expect(db.prepare('SELECT source, layer, anchor FROM coverage').all()).toEqual([])
  })

  it('is not made by a clock that source and target contradict', async () => {
    const bench = createWorkbench()
    const dateOffsetSeconds = -3_240
    const source = await bench.scripted({ events: scene.events, dateOffsetSeconds })
    const { code } = await bench.catchup(source, await bench.scripted({ dateOffsetSeconds }))
    expect([code, bench.checkpoints()]).toEqual([0, []])
  })

  it('is not made by a dry run', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: history })
    const target = await bench.scripted()
    await bench.catchup(source, target, '--dry-run')
    expect((await bench.catchup(source, target)).report.sources[0]?.lastDrained).toBeNull()
    expect(idsOf(target.events.values())).toEqual(idsOf(history))
  })

  it.each([
    ['--until', '1h'],
    ['--deletions', 'skip'],
  ])('is not moved by a run that copies less than everything (%s %s)', async (flag, value) => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: [...history, comment(scene.issue, bob)] })
    expect((await bench.catchup(source, await bench.scripted(), flag, value)).code).toBe(0)
    expect(bench.checkpoints()).toEqual([])
  })
})

describe('an OK, and a list by NIP-77', () => {
  it('are no proof: of many events sent, those that the target lists and does not serve are parked', async () => {
    const bench = createWorkbench()
    const comments = Array.from({ length: 120 }, (_, n) =>
      comment(scene.issue, alice, { createdAt: scene.issue.created_at + n }),
    )
    const source = await bench.scripted({ events: [...scene.events, ...comments] })
    const target = await bench.scripted({ negentropy: true, hides: ({ kind }) => kind === KIND.comment })
    const { code, report } = await bench.catchup(source, target)
    expect([code, report.totals.parked]).toEqual([3, 1 + comments.length])
  })
})

describe('events that should be all of their time at the target', () => {
  it('are not held because it lists others of that time: the one that it lacks is not found', async () => {
    const sent = makeItems(100)
    const relay = await startScriptedRelay({ negentropy: true, events: sent.slice(1).map(toEvent) })
    onTestFinished(() => relay.close())
    const target = createPeer(useRelay(relay.url), { supportedNips: [1, 77], supportedGrasps: [] })
    const found = await findClaimed(target, sent, 1_750_000_000, { areAlone: true })
    expect(found).toEqual(new Set(sent.slice(1).map(({ id }) => id)))
  })
})

describe('what was read and left out as out of scope', () => {
  // Announcements are fresh, so that a quick run sees them; the state is not.
  const ofBob = (minute: number, ...tags: readonly string[][]): NostrEvent =>
    announcement(bob, 'shared', { createdAt: nowSeconds() - 300 + minute * 60, tags })
  const invite = announcement(alice, 'shared', { createdAt: 1_700_000_000, maintainers: [bob] })
  const left = ofBob(2, ['m', alice.pubkey], ['m', bob.pubkey, '1', '2'])
  const names = [
    ['clone', 'https://grasp.example.com/x.git'],
    ['relays', 'wss://grasp.example.com'],
  ]
  const other = announcement(alice, 'other', { createdAt: 1_700_000_000, tags: names })
  const pushed = state(bob, 'shared', { createdAt: 1_650_000_000 })

  it.each([
    ['of a maintainer who was invited', [[invite, pushed], [ofBob(1)]]],
    ['of a maintainer who had left', [[invite, ofBob(1)], [left, pushed], [ofBob(3)]]],
    [
      'of a repository that did not name the service',
      [[other, ofBob(1, ...names)], [ofBob(2), pushed], [ofBob(3, ...names)]],
    ],
  ])(
    'is behind no checkpoint: %s, it comes with the next quick run that it belongs to (no false green #28)',
    async (_what, nights) => {
      const bench = createWorkbench()
      const [source, target] = await Promise.all([bench.scripted(), bench.scripted()])
      const scope = nights.flat().includes(other) ? ['--scope', 'listed', '--service', 'wss://grasp.example.com'] : []
      for (const [index, events] of nights.entries()) {
        for (const event of events) source.events.set(event.id, event)
        const { code } = await bench.catchup(source, target, ...scope)
        expect([code, target.events.has(pushed.id)]).toEqual([0, index === nights.length - 1])
      }
    },
  )
})
