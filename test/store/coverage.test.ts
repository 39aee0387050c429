import { describe, expect, it, vi } from 'vitest'

import type { LayerVersions } from '../../src/checkpoint/layers.ts'
import type { CheckpointStore } from '../../src/store/checkpoints.ts'
import { openTemporaryState } from '../support/temporary-state.ts'

const SOURCE = 'ws://source'
const OTHER = 'ws://other'
const ROW = { drainedAt: 100, fullAt: 50, hadEvents: true }
const FULL = { mode: 'full', since: undefined } as const

function newStore(): CheckpointStore {
  return openTemporaryState().state.checkpoints
}

/** The store of a later run, in which the layers have this version. */
function laterStore(file: string, version: number): CheckpointStore {
  const versions: LayerVersions = new Map([['threads', [version]]])
  return openTemporaryState({ file, versions }).state.checkpoints
}

function readsOf(store: CheckpointStore, source = SOURCE) {
  return [...store.reads(source)].map(({ anchor, drained, hadEvents }) => [anchor, drained, hadEvents])
}

describe('coverage', () => {
  it('is what was saved, for one source, layer and anchor', () => {
    const store = newStore()
    store.save(SOURCE, 'threads', 'x', ROW)
    expect(store.load(SOURCE, 'threads', 'x')).toEqual(ROW)
    expect(store.load(OTHER, 'threads', 'x')).toBeUndefined()
    expect(store.load(SOURCE, 'repositories', 'x')).toBeUndefined()
    expect(store.load(SOURCE, 'threads', 'y')).toBeUndefined()
  })

  it('of an older version of the layer counts as never drained', () => {
    const { state, file } = openTemporaryState({ versions: new Map([['threads', [1]]]) })
    state.checkpoints.save(SOURCE, 'threads', 'x', ROW)
    expect(laterStore(file, 2).load(SOURCE, 'threads', 'x')).toBeUndefined()
    expect(laterStore(file, 1).load(SOURCE, 'threads', 'x')).toEqual(ROW)
  })

  it('of an older version is no coverage to build on', () => {
    const { state, file } = openTemporaryState({ versions: new Map([['threads', [1]]]) })
    state.checkpoints.save(SOURCE, 'threads', 'x', ROW)
    const later = laterStore(file, 2)
    later.plan(SOURCE, 'threads', ['x'], FULL)
    expect([...later.reads(SOURCE)][0]?.before).toBeUndefined()
  })

  it('is not believed in a run that ignores it, and stays on disk', () => {
    const { state, file } = openTemporaryState()
    state.checkpoints.save(SOURCE, 'threads', 'x', ROW)
    state.checkpoints.ignoreInThisRun()
    expect(state.checkpoints.load(SOURCE, 'threads', 'x')).toBeUndefined()
    expect(openTemporaryState({ file }).state.checkpoints.load(SOURCE, 'threads', 'x')).toEqual(ROW)
  })

  it('prepares no statement for each anchor', () => {
    const { state, db } = openTemporaryState()
    const prepare = vi.spyOn(db, 'prepare')
    for (const anchor of ['x', 'y']) {
      state.checkpoints.load(SOURCE, 'threads', anchor)
      state.checkpoints.plan(SOURCE, 'threads', [anchor], FULL)
      state.checkpoints.note(SOURCE, 'threads', [anchor], { drained: true, events: true })
      state.checkpoints.save(SOURCE, 'threads', anchor, ROW)
    }
    expect(prepare).not.toHaveBeenCalled()
  })

  it('is voided of all sources', () => {
    const store = newStore()
    for (const each of [SOURCE, OTHER]) store.save(each, 'threads', 'x', ROW)
    store.void()
    expect([store.load(SOURCE, 'threads', 'x'), store.load(OTHER, 'threads', 'x')]).toEqual([undefined, undefined])
  })

  it('of a source that is held back is not believed in this run, and stays on disk', () => {
    const { state, file } = openTemporaryState()
    for (const each of [SOURCE, OTHER]) state.checkpoints.save(each, 'threads', 'x', ROW)
    state.checkpoints.holdBack(SOURCE)
    const load = (source: string) => state.checkpoints.load(source, 'threads', 'x')
    expect([load(SOURCE), load(OTHER)]).toEqual([undefined, ROW])
    expect(openTemporaryState({ file }).state.checkpoints.load(SOURCE, 'threads', 'x')).toEqual(ROW)
  })

  it.each([
    ['nothing', undefined, [true, true]],
    ['a checkpoint of nothing', { ...ROW, hadEvents: false }, [false, true]],
    ['a checkpoint of events', { ...ROW, hadEvents: true }, [false, false]],
  ])('is empty or not with %s', (_, row, isEmpty) => {
    const store = newStore()
    if (row !== undefined) store.save(SOURCE, 'threads', 'x', row)
    expect([store.isEmpty(), store.isEmpty({ withEvents: true })]).toEqual(isEmpty)
  })

  it('of another target stays when it is voided', () => {
    const first = openTemporaryState({ target: 'ws://one' })
    const second = openTemporaryState({ file: first.file, target: 'ws://two' })
    second.state.checkpoints.save(SOURCE, 'threads', 'x', ROW)
    first.state.checkpoints.void()
    expect(second.state.checkpoints.load(SOURCE, 'threads', 'x')).toEqual(ROW)
  })
})

describe('the reads of a run', () => {
  it('are drained when no filter stayed open', () => {
    const store = newStore()
    store.plan(SOURCE, 'threads', ['x', 'y'], FULL)
    store.note(SOURCE, 'threads', ['x', 'y'], { drained: true, events: false })
    expect(readsOf(store)).toEqual([
      ['x', true, false],
      ['y', true, false],
    ])
  })

  it('are open when one filter of the anchor was not drained, whatever the others did', () => {
    const store = newStore()
    store.plan(SOURCE, 'threads', ['x'], FULL)
    for (const drained of [true, false, true]) store.note(SOURCE, 'threads', ['x'], { drained, events: false })
    expect(readsOf(store)).toEqual([['x', false, false]])
  })

  it('know whether the source served anything', () => {
    const store = newStore()
    store.plan(SOURCE, 'threads', ['x', 'y'], FULL)
    store.note(SOURCE, 'threads', ['x'], { drained: true, events: true })
    expect(readsOf(store)).toEqual([
      ['x', true, true],
      ['y', true, false],
    ])
  })

  it('are all open, also those to come, when the source is held back', () => {
    const store = newStore()
    store.holdBack(SOURCE)
    for (const source of [SOURCE, OTHER]) store.plan(source, 'threads', ['x'], FULL)
    expect([readsOf(store), readsOf(store, OTHER)]).toEqual([[['x', false, false]], [['x', true, false]]])
  })

  it('are all open when the source may not be believed', () => {
    const store = newStore()
    for (const source of [SOURCE, OTHER]) store.plan(source, 'threads', ['x'], FULL)
    store.noteAllOpen(SOURCE)
    expect([readsOf(store), readsOf(store, OTHER)]).toEqual([[['x', false, false]], [['x', true, false]]])
  })

  it('are all open, of all sources, once an event had no room on disk', () => {
    const store = newStore()
    store.plan(SOURCE, 'threads', ['x'], FULL)
    store.freeze()
    store.plan(OTHER, 'threads', ['x'], FULL)
    expect([readsOf(store), readsOf(store, OTHER)]).toEqual([[['x', false, false]], [['x', false, false]]])
  })

  it('know how they were asked and what was covered before', () => {
    const store = newStore()
    store.save(SOURCE, 'threads', 'x', ROW)
    store.plan(SOURCE, 'threads', ['x'], { mode: 'since', since: 40 })
    expect([...store.reads(SOURCE)]).toEqual([
      { layer: 'threads', anchor: 'x', mode: 'since', since: 40, drained: true, hadEvents: false, before: ROW },
    ])
  })

  it('come once each, however many, while rows are written', () => {
    const { state } = openTemporaryState()
    const anchors = Array.from({ length: 2_500 }, (_, index) => `anchor ${index}`)
    const seen: string[] = []
    state.transaction(() => {
      state.checkpoints.plan(SOURCE, 'threads', anchors, FULL)
      for (const { layer, anchor } of state.checkpoints.reads(SOURCE)) {
        seen.push(anchor)
        state.checkpoints.save(SOURCE, layer, anchor, ROW)
      }
    })
    expect(seen.toSorted()).toEqual(anchors.toSorted())
  })
})
