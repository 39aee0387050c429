import { describe, expect, it } from 'vitest'

import type { NostrEvent } from '../../src/nostr/event.ts'
import { announcement, issue, repositoryAddress } from '../support/builders.ts'
import { alice, bob, carol, dave } from '../support/scenes.ts'
import type { EventReply } from '../support/scripted-behaviour.ts'
import type { Key } from '../support/sign.ts'
import { createWorkbench, idsOf } from '../support/workbench.ts'

const START = 1_700_000_000

/** So many repositories, of these owners in turn. */
function repositoriesOf(owners: readonly Key[], count: number, urls: readonly string[] = []): NostrEvent[] {
  return Array.from({ length: count }, (_, n) =>
    announcement(owners[n % owners.length] as Key, `repository-${n}`, {
      createdAt: START + n,
      clone: urls.map((url) => url.replace('ws:', 'http:')),
      relays: urls,
    }),
  )
}

function refuseWith(text: (n: number) => string): () => EventReply {
  let count = 0
  return () => ({ ok: false, text: text((count += 1)) })
}

describe('the door of a target that never took anything from us', () => {
  it.each([
    ['blocked: go away', 'blocked: go away'],
    ['an unknown text', 'no entry'],
    ['restricted:', 'restricted: members only'],
    ['invalid:', 'invalid: not here'],
  ])('is closed when eight events of two authors get one text: %s (no false green #7)', async (_how, text) => {
    const bench = createWorkbench()
    const events = repositoriesOf([alice, bob], 200)
    const source = await bench.scripted({ events })
    const target = await bench.scripted({ onEvent: () => ({ ok: false, text }) })
    const { code, report } = await bench.catchup(source, target)
    expect(code).toBe(1)
    expect(report.totals).toMatchObject({ parked: 200, refused: 0, accepted: 0 })
    expect(report.layers.map(({ outcomes }) => outcomes)).toEqual([{ unsent: 200 }, {}, {}])
    expect(target.received.events.length).toBeLessThanOrEqual(8 + 64)
    expect(report.problems).toContainEqual(expect.objectContaining({ what: 'target', reason: text }))
    delete target.behaviour.onEvent
    const second = await bench.catchup(source, target)
    expect([second.code, idsOf(target.events.values())]).toEqual([0, idsOf(events)])
  })

  it('is closed by texts that differ in ids, numbers and what is quoted only', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: repositoriesOf([alice, bob], 9) })
    const onEvent = refuseWith(
      (n) => `blocked: event ${String(n).repeat(64)} over quota of ${n} (see "https://x/${n}")`,
    )
    const { code, report } = await bench.catchup(source, await bench.scripted({ onEvent }))
    expect([code, report.totals.parked, report.totals.refused]).toEqual([1, 9, 0])
  })

  it('gives back what was settled with that text in a stage before', async () => {
    const bench = createWorkbench()
    const announced = repositoriesOf([alice], 4)
    const issues = announced.map((_, n) =>
      issue(repositoryAddress(alice, `repository-${n}`), [bob, carol][n % 2] as Key, { createdAt: START + 100 + n }),
    )
    const source = await bench.scripted({ events: [...announced, ...issues] })
    const target = await bench.scripted({ onEvent: () => ({ ok: false, text: 'blocked: go away' }) })
    const { code, report } = await bench.catchup(source, target)
    expect([code, report.totals.parked, report.totals.refused]).toEqual([1, 8, 0])
    expect(bench.spool().map(({ state, outcome }) => `${state} ${outcome}`)).toEqual(Array(8).fill('parked unsent'))
  })

  const opens: readonly (readonly [string, readonly Key[], number, (n: number) => EventReply])[] = [
    ['for seven events', [alice, bob], 7, () => ({ ok: false, text: 'blocked: no' })],
    ['for events of one author', [alice], 20, () => ({ ok: false, text: 'blocked: no' })],
    [
      'when the first was taken',
      [alice, bob],
      20,
      (n) => (n === 1 ? { ok: true } : { ok: false, text: 'blocked: no' }),
    ],
    [
      'when one text differs',
      [alice, bob],
      20,
      (n) => ({ ok: false, text: n === 3 ? 'blocked: you too' : 'blocked: no' }),
    ],
    [
      'for a text that is known to be about the event',
      [alice, bob],
      20,
      () => ({ ok: false, text: 'restricted: Kind 0/10002 author must participate in an accepted repository thread' }),
    ],
  ]

  it.each(opens)('is open %s', async (_how, owners, count, reply) => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: repositoriesOf(owners, count) })
    let received = 0
    const target = await bench.scripted({ onEvent: () => reply((received += 1)) })
    const { code, report } = await bench.catchup(source, target)
    expect([code, report.totals.parked]).toEqual([0, 0])
    expect(report.totals.refused + report.totals.accepted).toBe(count)
  })
})

describe('the door of a target that took something in an earlier run', () => {
  it('is open: eight refusals with one text are refusals', async () => {
    const bench = createWorkbench()
    const [first, ...others] = repositoriesOf([alice, bob], 20)
    const source = await bench.scripted({ events: [first as NostrEvent] })
    const target = await bench.scripted()
    await bench.catchup(source, target)
    for (const event of others) source.events.set(event.id, event)
    target.behaviour.onEvent = () => ({ ok: false, text: 'blocked: go away' })
    const { code, report } = await bench.catchup(source, target, '--full')
    expect([code, report.totals.parked, report.totals.refused]).toEqual([0, 0, 19])
  })
})

describe('the door of a service', () => {
  const text = (n: number): string =>
    `invalid: Announcement must list service in both 'clone' and 'relays' tags. Found: [${n}]`

  it('is closed when every announcement that names it is refused; the report asks for --service (no false green #7)', async () => {
    const bench = createWorkbench()
    const events = repositoriesOf([alice], 3, ['ws://git.example.org'])
    const source = await bench.scripted({ events })
    const target = await bench.scripted({ onEvent: refuseWith(text) })
    const run = () => bench.catchup(source, target, '--scope', 'listed', '--service', 'ws://git.example.org')
    const { code, report } = await run()
    expect([code, report.totals.parked, report.totals.refused]).toEqual([1, 3, 0])
    expect(report.notes.join('\n')).toMatch(/git\.example\.org.*--service/)
    delete target.behaviour.onEvent
    const second = await run()
    expect([second.code, target.events.size]).toEqual([0, 3])
  })

  it('is open when it holds or takes one of them', async () => {
    const bench = createWorkbench()
    const events = repositoriesOf([alice, dave], 3, ['ws://git.example.org'])
    const source = await bench.scripted({ events })
    const target = await bench.scripted({ events: events.slice(0, 1), onEvent: refuseWith(text) })
    const { code, report } = await bench.catchup(
      source,
      target,
      '--scope',
      'listed',
      '--service',
      'ws://git.example.org',
    )
    expect([code, report.totals.parked, report.totals.refused]).toEqual([0, 0, 2])
  })
})
