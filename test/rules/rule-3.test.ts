import { describe, expect, it } from 'vitest'

import { announcement, comment, deletion, issue, state } from '../support/builders.ts'
import {
  alice,
  bob,
  carol,
  readingFilters,
  sincesOf,
  smallRepository,
  type SmallRepository,
} from '../support/scenes.ts'
import type { ScriptedRelay } from '../support/scripted-relay.ts'
import { createWorkbench, idsOf, nowSeconds, type Workbench } from '../support/workbench.ts'

/*
 * Rule 3. `since` never applies to an anchor that this source was not drained for (only the operator's `--since` may,
 * and that creates no coverage).
 */

const scene = smallRepository()
const late = comment(scene.issue, bob, { createdAt: scene.issue.created_at + 500 })
const OVERLAP = 900

/** A repository announced just now, with a history of years. */
const fresh = withOldHistory(smallRepository({ owner: carol, d: 'new', startAt: 1_600_000_000 }))

function withOldHistory(old: SmallRepository): SmallRepository {
  const announced = announcement(carol, 'new', { createdAt: nowSeconds() })
  return { ...old, announced, events: [announced, ...old.events.slice(1)] }
}

/** A source that was read to its end a minute ago, and the target that it was copied to. */
async function afterCompleteRun(bench: Workbench) {
  const [source, target] = await Promise.all([bench.scripted({ events: scene.events }), bench.scripted()])
  const { code, report } = await bench.catchup(source, target)
  expect(code).toBe(0)
  bench.letPass(60)
  source.forgetReceived()
  return { source, target, drainedAt: report.startedAt - 60 }
}

function sinces(relay: ScriptedRelay): (number | undefined)[] {
  return [...new Set(readingFilters(relay).map(({ since }) => since))]
}

describe('a filter has a since', () => {
  it('where this source was drained, and then the one that leaves no gap', async () => {
    const bench = createWorkbench()
    const { source, target, drainedAt } = await afterCompleteRun(bench)
    await bench.catchup(source, target)
    expect(sinces(source)).toEqual([drainedAt - OVERLAP])
  })

  it('not at another source, although the anchors are old: what only that one has arrives, however old', async () => {
    const bench = createWorkbench()
    const { source, target, drainedAt } = await afterCompleteRun(bench)
    const second = await bench.scripted({ events: [...scene.events, late] })
    const { code } = await bench.catchup([source, second], target)
    expect([sinces(source), sinces(second)]).toEqual([[drainedAt - OVERLAP], [undefined]])
    expect([code, idsOf(target.events.values())]).toEqual([0, idsOf([...scene.events, late])])
  })

  it('not for another target, although the source was drained', async () => {
    const bench = createWorkbench()
    const { source } = await afterCompleteRun(bench)
    const second = await bench.scripted()
    const { code } = await bench.catchup(source, second)
    expect(sinces(source)).toEqual([undefined])
    expect([code, idsOf(second.events.values())]).toEqual([0, idsOf(scene.events)])
  })

  it('not for a repository that is new: its whole history arrives', async () => {
    const bench = createWorkbench()
    const { source, target, drainedAt } = await afterCompleteRun(bench)
    for (const event of fresh.events) source.events.set(event.id, event)
    const { code } = await bench.catchup(source, target)
    expect(new Set(sincesOf(source, '#a', fresh.address))).toEqual(new Set([undefined]))
    expect(new Set(sincesOf(source, '#a', scene.address))).toEqual(new Set([drainedAt - OVERLAP]))
    expect([code, target.events.has(fresh.comment.id)]).toEqual([0, true])
  })

  it('not for an issue that is new: its old comments arrive', async () => {
    const bench = createWorkbench()
    const { source, target, drainedAt } = await afterCompleteRun(bench)
    const bug = issue(scene.address, bob, { createdAt: nowSeconds() })
    const remark = comment(bug, alice, { createdAt: 1_600_000_000 })
    for (const event of [bug, remark]) source.events.set(event.id, event)
    const { code } = await bench.catchup(source, target)
    expect(new Set(sincesOf(source, '#E', bug.id))).toEqual(new Set([undefined]))
    expect(new Set(sincesOf(source, '#E', scene.issue.id))).toEqual(new Set([drainedAt - OVERLAP]))
    expect([code, target.events.has(remark.id)]).toEqual([0, true])
  })

  it('not once the target no longer shows what it held', async () => {
    const bench = createWorkbench()
    const { source, target } = await afterCompleteRun(bench)
    target.events.delete(scene.comment.id)
    const { code, report } = await bench.catchup(source, target)
    expect(sinces(source)).toEqual([undefined])
    expect([code, target.events.has(scene.comment.id)]).toEqual([0, true])
    expect(report.notes.join()).toMatch(/no longer serves 1 of the events/)
  })

  it('not once the target shows an older version of what it held', async () => {
    const bench = createWorkbench()
    const { source, target } = await afterCompleteRun(bench)
    const older = state(alice, 'hello', { createdAt: scene.state.created_at - 1_000 })
    target.events.delete(scene.state.id)
    target.events.set(older.id, older)
    const { code } = await bench.catchup(source, target)
    expect(sinces(source)).toEqual([undefined])
    expect([code, target.events.has(scene.state.id)]).toEqual([0, true])
  })

  it('not where the target has lost what stood in the place of an event, which it gets now', async () => {
    const bench = createWorkbench()
    const theirs = state(alice, 'hello', { createdAt: scene.state.created_at, commit: 'f'.repeat(40) })
    const source = await bench.scripted({ events: scene.events })
    const target = await bench.scripted({
      events: [scene.announced, theirs],
      onEvent: ({ id }) =>
        id === scene.state.id && target.events.has(theirs.id)
          ? { ok: false, text: 'replaced: have newer event' }
          : 'default',
    })
    await bench.catchup(source, target)
    expect(target.events.has(scene.state.id)).toBe(false)
    target.events.clear()
    const { code } = await bench.catchup(source, target)
    expect([code, idsOf(target.events.values())]).toEqual([0, idsOf(scene.events)])
  })

  it('not where the target has lost a deletion that it held unseen, which it gets now', async () => {
    const bench = createWorkbench()
    const withdrawn = deletion({ ids: ['e'.repeat(64)] }, bob, { tags: [['q', scene.address]] })
    const source = await bench.scripted({ events: [...scene.events, withdrawn] })
    let isWiped = false
    const target = await bench.scripted({
      onEvent: ({ id }) =>
        id === withdrawn.id && !isWiped ? { ok: true, text: 'duplicate: event stored', store: false } : 'default',
    })
    await bench.catchup(source, target)
    expect(bench.spool()).toMatchObject([{ id: withdrawn.id, state: 'held' }])
    target.events.clear()
    isWiped = true
    const { code } = await bench.catchup(source, target)
    expect([code, idsOf(target.events.values())]).toEqual([0, idsOf([...scene.events, withdrawn])])
  })

  it('not where nothing is known that the target held', async () => {
    const bench = createWorkbench()
    const { source, target } = await afterCompleteRun(bench)
    bench.database((db) => db.exec('DELETE FROM witness'))
    target.events.delete(scene.comment.id)
    const { code } = await bench.catchup(source, target)
    expect(sinces(source)).toEqual([undefined])
    expect([code, target.events.has(scene.comment.id)]).toEqual([0, true])
  })

  it('not where the checkpoint lies in the future', async () => {
    const bench = createWorkbench()
    const { source, target } = await afterCompleteRun(bench)
    bench.letPass(-100_000)
    await bench.catchup(source, target)
    expect(sinces(source)).toEqual([undefined])
  })
})

describe('--since', () => {
  it('is asked of what the target holds, and creates no checkpoint', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: [...scene.events, late] })
    const target = await bench.scripted({ events: scene.events })
    const asked = nowSeconds() - 3_600
    const { code } = await bench.catchup(source, target, '--since', String(asked))
    expect([code, sinces(source)]).toEqual([0, [asked]])
    expect(bench.checkpoints()).toEqual([])
    source.forgetReceived()
    await bench.catchup(source, target)
    expect(sinces(source)).toEqual([undefined])
    expect(target.events.has(late.id)).toBe(true)
  })

  it('is not asked of a repository and a thread that the target does not hold', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: [...scene.events, ...fresh.events] })
    const target = await bench.scripted({ events: scene.events })
    const { code } = await bench.catchup(source, target, '--since', '1h')
    expect(new Set(sincesOf(source, '#a', fresh.address))).toEqual(new Set([undefined]))
    expect(new Set(sincesOf(source, '#E', fresh.issue.id))).toEqual(new Set([undefined]))
    expect([code, target.events.has(fresh.comment.id)]).toEqual([0, true])
  })

  it('moves no checkpoint over a gap that it leaves', async () => {
    const bench = createWorkbench()
    const { source, target } = await afterCompleteRun(bench)
    const before = bench.checkpoints()
    expect((await bench.catchup(source, target, '--since', '10s')).code).toBe(0)
    expect(bench.checkpoints()).toEqual(before)
  })
})

describe('the checkpoints of a shard', () => {
  it.each([
    ['the other one', ['--shard', '2/2']],
    ['the same number of more', ['--shard', '1/4']],
    ['a run without shards', []],
  ])('are not believed by %s', async (_, words) => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.scripted({ events: scene.events }), bench.scripted()])
    expect((await bench.catchup(source, target, '--shard', '1/2')).code).toBe(0)
    source.forgetReceived()
    expect((await bench.catchup(source, target, ...words)).code).toBe(0)
    expect(sinces(source)).toEqual([undefined])
  })
})
