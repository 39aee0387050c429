import { describe, expect, it } from 'vitest'

import type { NostrEvent } from '../../src/nostr/event.ts'
import { comment, deletion } from '../support/builders.ts'
import { runInProcess } from '../support/in-process.ts'
import { createMemoryEndpoint } from '../support/memory-endpoint.ts'
import { bob, smallRepository } from '../support/scenes.ts'
import type { ScriptedRelay } from '../support/scripted-relay.ts'
import { openTemporaryState } from '../support/temporary-state.ts'
import { createWorkbench } from '../support/workbench.ts'

const mine = smallRepository()
const remarks = Array.from({ length: 30 }, (_, index) =>
  comment(mine.issue, bob, { createdAt: 1_750_001_000 + 60 * index, content: `remark ${index}` }),
)
const events: readonly NostrEvent[] = [...mine.events, ...remarks]
const CAME_BACK = /^was lost on the way and came back without \d+ of the events that it had shown$/

/** Cuts the connection at the first REQ about threads, once; before that does this to what the relay holds. */
function returnsAt(source: ScriptedRelay, change: () => void): void {
  let isDone = false
  source.behaviour.onReq = ({ filters: [filter] }) => {
    if (isDone || filter?.['#E'] === undefined) return 'default'
    isDone = true
    change()
    return { rows: [], end: { type: 'drop' } }
  }
}

describe('a source that is lost in the middle of a run and comes back', () => {
  it('without its events was not read to its end: exit 3, and no checkpoint of it', async () => {
    const bench = createWorkbench()
    const [source, target] = [await bench.scripted({ events }), await bench.scripted()]
    returnsAt(source, () => source.events.clear())
    const { code, report } = await bench.catchup(source, target)
    expect([code, bench.checkpoints(source)]).toEqual([3, []])
    expect(report.sources[0]?.reason).toMatch(CAME_BACK)
  })

  it('without its newest events, as from a backup, was not read to its end', async () => {
    const bench = createWorkbench()
    const [source, target] = [await bench.scripted({ events, pageCap: 10 }), await bench.scripted()]
    returnsAt(source, () => remarks.slice(20).forEach(({ id }) => source.events.delete(id)))
    const { code, report } = await bench.catchup(source, target)
    expect(code).toBe(3)
    expect(report.sources[0]?.reason).toMatch(CAME_BACK)
  })

  it('without its events has a witness although it showed only what another had shown', async () => {
    const [first, second] = ['a', 'b'].map((name) => createMemoryEndpoint({ url: `ws://${name}.example`, events }))
    const target = createMemoryEndpoint({ url: 'ws://target.example' })
    const { state } = openTemporaryState()
    if (first === undefined || second === undefined) throw new Error('two sources')
    const run = () => runInProcess({ sources: [first, second], target, state })
    expect((await run()).exit).toBe(0)
    second.events.clear()
    expect((await run()).sources[1]?.reason).toBe('serves nothing of what it once had')
  })

  it('as it was is read to its end: exit 0', async () => {
    const bench = createWorkbench()
    const [source, target] = [await bench.scripted({ events, pageCap: 10 }), await bench.scripted()]
    returnsAt(source, () => undefined)
    const { code } = await bench.catchup(source, target)
    expect([code, target.events.size]).toEqual([0, events.length])
  })

  it('without what its author deleted meanwhile is read to its end', async () => {
    const bench = createWorkbench()
    const [source, target] = [await bench.scripted({ events, pageCap: 10 }), await bench.scripted()]
    const [gone] = remarks.slice(-1)
    if (gone === undefined) throw new Error('a remark')
    const wish = deletion({ ids: [gone.id] }, bob)
    returnsAt(source, () => {
      source.events.delete(gone.id)
      source.events.set(wish.id, wish)
    })
    expect((await bench.catchup(source, target)).report.sources[0]?.reason).toBeNull()
  })
})

/** Cuts the connection at the first event, once; before that does this to what the relay holds. */
function returnsAtEvent(target: ScriptedRelay, change: () => void): void {
  let isDone = false
  target.behaviour.onEvent = () => {
    if (isDone) return 'default'
    isDone = true
    change()
    return 'drop-connection'
  }
}

describe('a target that is lost in the middle of a run and comes back', () => {
  it('without what it held is not complete: exit 3, and no checkpoint', async () => {
    const bench = createWorkbench()
    const [source, target] = [await bench.scripted({ events }), await bench.scripted({ events: events.slice(0, 20) })]
    returnsAtEvent(target, () => target.events.clear())
    const { code, report } = await bench.catchup(source, target)
    expect([code, bench.checkpoints()]).toEqual([3, []])
    expect(report.problems.find(({ what }) => what === 'gap')?.reason).toMatch(CAME_BACK)
  })

  it('as it was is complete: exit 0', async () => {
    const bench = createWorkbench()
    const [source, target] = [await bench.scripted({ events }), await bench.scripted({ events: events.slice(0, 20) })]
    returnsAtEvent(target, () => undefined)
    const { code } = await bench.catchup(source, target)
    expect([code, target.events.size]).toEqual([0, events.length])
  })
})
