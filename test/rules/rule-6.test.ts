import { describe, expect, it } from 'vitest'

import type { NostrEvent } from '../../src/nostr/event.ts'
import { announcement, comment, deletion, graspList, state } from '../support/builders.ts'
import { alice, carol, smallRepository } from '../support/scenes.ts'
import type { ScriptedRelayOptions } from '../support/scripted-relay.ts'
import { createWorkbench, idsOf } from '../support/workbench.ts'

/*
 * Rule 6. Publishing what the target already holds is a defect (relays charge for duplicates): a second run right after
 * a complete one publishes 0.
 */

const scene = smallRepository()
const other = smallRepository({ owner: carol, d: 'other', startAt: 1_700_000_000 })
const everything = [
  ...scene.events,
  ...other.events,
  graspList(alice, ['wss://grasp.example']),
  deletion({ addresses: [other.address] }, carol, { createdAt: 1_600_000_000 }),
]

/** A complete run, and the relays that it was between; the target has forgotten what it received. */
async function afterCompleteRun(options: ScriptedRelayOptions = {}) {
  const bench = createWorkbench()
  const source = await bench.scripted({ events: everything })
  const target = await bench.scripted(options)
  const { code, report } = await bench.catchup(source, target)
  expect([code, report.totals.published]).toEqual([0, everything.length])
  target.forgetReceived()
  return { bench, source, target }
}

describe('a second run', () => {
  it.each([[[]], [['--full']], [['--since', '1w']], [['--full', '--deletions', 'skip']]])(
    'sends nothing with %j',
    async (args) => {
      const { bench, source, target } = await afterCompleteRun()
      const { code, report } = await bench.catchup(source, target, ...args)
      expect([code, report.totals.published, target.received.events]).toEqual([0, 0, []])
    },
  )

  it('does not send what the target holds without serving it: a deletion that is out of its sight', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: everything })
    const target = await bench.scripted({
      onEvent: ({ kind }) => (kind === 5 ? { ok: true, text: 'duplicate: event stored', store: false } : 'default'),
    })
    const first = await bench.catchup(source, target)
    expect([first.code, first.report.totals.parked, first.report.totals.refused]).toEqual([0, 0, 0])
    target.forgetReceived()
    const { code, report } = await bench.catchup(source, target, '--full')
    expect([code, report.totals.published, target.received.events]).toEqual([0, 0, []])
  })

  it('sends nothing although the state file is lost', async () => {
    const { source, target } = await afterCompleteRun()
    const { code, report } = await createWorkbench().catchup(source, target)
    expect([code, report.totals.published, target.received.events]).toEqual([0, 0, []])
  })

  it('sends nothing although the pages of the target are short', async () => {
    const { source, target } = await afterCompleteRun({ pageCap: 3 })
    const { code } = await createWorkbench().catchup(source, target)
    expect([code, target.received.events]).toEqual([0, []])
  })

  it('sends nothing although a second source has the same', async () => {
    const { bench, source, target } = await afterCompleteRun()
    const second = await bench.scripted({ events: everything })
    const { code } = await bench.catchup([source, second], target)
    expect([code, target.received.events]).toEqual([0, []])
  })

  it('sends nothing in a backfill of everything', async () => {
    const { bench, source, target } = await afterCompleteRun()
    const { code, stdout } = await bench.run([
      ...['backfill', '--json', '--since', '20Y'],
      ...['--source', source.url, '--target', target.url],
    ])
    expect([code, stdout === '' ? undefined : target.received.events]).toEqual([0, []])
  })
})

describe('a run sends', () => {
  it('only what the target lacks, each event once, from however many sources', async () => {
    const bench = createWorkbench()
    const sources = await Promise.all([1, 2, 3].map(() => bench.scripted({ events: everything })))
    const target = await bench.scripted({ events: scene.events })
    const { code } = await bench.catchup(sources, target)
    const lacked = everything.filter(({ id }) => !scene.events.some((held) => held.id === id))
    expect([code, idsOf(target.received.events)]).toEqual([0, idsOf(lacked)])
  })

  it('no version that is older than what the target has', async () => {
    const bench = createWorkbench()
    const newer = [
      announcement(alice, 'hello', { createdAt: 1_760_000_000 }),
      state(alice, 'hello', { createdAt: 1_760_000_000 }),
    ]
    const source = await bench.scripted({ events: scene.events })
    const target = await bench.scripted({ events: newer })
    const { code, report } = await bench.catchup(source, target)
    expect([code, idsOf(target.received.events)]).toEqual([0, idsOf([scene.issue, scene.comment])])
    expect(report.layers.map(({ dropped }) => dropped['superseded'] ?? 0)).toEqual([1, 1, 0])
  })

  it('nothing that arrived at the target while it was parked', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: scene.events })
    const target = await bench.scripted({
      onEvent: ({ id }) => (id === scene.comment.id ? { ok: false, text: 'error: busy' } : 'default'),
    })
    expect((await bench.catchup(source, target)).code).toBe(3)
    delete target.behaviour.onEvent
    target.events.set(scene.comment.id, scene.comment)
    target.forgetReceived()
    const { code } = await bench.catchup(source, target)
    expect([code, target.received.events]).toEqual([0, []])
  })

  it('nothing in a dry run, which tells how many it would be', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: everything })
    const target = await bench.scripted({ events: scene.events })
    const { code, report } = await bench.catchup(source, target, '--dry-run')
    expect([code, report.totals.published, target.received.events]).toEqual([0, everything.length - 4, []])
  })

  it('what came since, and nothing else', async () => {
    const { bench, source, target } = await afterCompleteRun()
    const remark = comment(scene.issue, carol, { createdAt: Math.floor(Date.now() / 1000) })
    source.events.set(remark.id, remark)
    await bench.catchup(source, target)
    expect(target.received.events).toEqual([remark])
  })

  it('nothing of which the target keeps another version of the same second, however it said so', async () => {
    const bench = createWorkbench()
    const versions = ['x', 'y'].map((name) => announcement(carol, 'twice', { content: name }))
    const [ours, theirs] = versions.sort((a, b) => (a.id < b.id ? -1 : 1)) as [NostrEvent, NostrEvent]
    const source = await bench.scripted({ events: [...scene.events, ours] })
    const target = await bench.scripted({ events: [...scene.events, theirs] })
    target.behaviour.onEvent = () => ({ ok: false, text: 'replaced: have newer event' })
    await bench.catchup(source, target)
    target.forgetReceived()
    const { code } = await bench.catchup(source, target, '--full')
    expect([code, target.received.events]).toEqual([0, []])
  })
})
