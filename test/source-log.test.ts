import { describe, expect, it } from 'vitest'

import type { Fetched } from '../src/run/source-log.ts'
import type { PlannedAnchor, PlannedRequest, SincePolicy } from '../src/checkpoint/plan.ts'
import type { Drain } from '../src/relay/paging/drain.ts'
import { SourceLog } from '../src/run/source-log.ts'

const NOW = 100_000
const POLICY: SincePolicy = {
  startedAt: NOW,
  quickWindowSeconds: 900,
  fullEverySeconds: 86_400,
  overlapSeconds: 900,
  full: false,
  since: undefined,
  until: undefined,
  windowOnly: false,
}

function anchor(drainedAt?: number, fullAt = drainedAt): PlannedAnchor {
  const checkpoint = drainedAt === undefined || fullAt === undefined ? undefined : { drainedAt, fullAt }
  return { anchor: 'x', checkpoint, held: true }
}

function drained(changes: Partial<Drain> = {}): Drain {
  return { reason: null, pages: 2, rows: 3, bytes: 400, malformed: 0, foreign: 0, ...changes }
}

function paged(drain: Drain): Fetched {
  return { drain, comparison: undefined }
}

const REQUEST: PlannedRequest = {
  layer: 'threads',
  filter: {},
  anchors: ['x'],
  mode: 'full',
  since: undefined,
  lateBefore: undefined,
}

function newLog(): SourceLog {
  return new SourceLog('ws://source', ['announcements', 'threads'])
}

describe('SourceLog', () => {
  it('is complete while nothing went wrong', () => {
    const log = newLog()
    log.request(REQUEST, paged(drained()))
    expect(log.report()).toMatchObject({
      url: 'ws://source',
      complete: true,
      reason: null,
      layers: [
        { end: 'not asked', reason: null },
        { end: 'drained', reason: null },
      ],
    })
  })

  it('adds up filters, pages, rows and bytes of a layer', () => {
    const log = newLog()
    for (let i = 0; i < 3; i += 1) log.request(REQUEST, paged(drained()))
    expect(log.report().layers[1]).toMatchObject({ filters: 3, pages: 6, events: 9, bytes: 1_200 })
  })

  it('names the reason of a layer that was not read to its end, with the number of filters', () => {
    const log = newLog()
    for (let i = 0; i < 2; i += 1) log.request(REQUEST, paged(drained({ reason: 'idle 30 s on page 1' })))
    log.request(REQUEST, paged(drained({ reason: 'closed: no' })))
    expect(log.report()).toMatchObject({
      complete: false,
      layers: [
        { end: 'not asked' },
        { end: 'incomplete', reason: 'idle 30 s on page 1 (2 filters), and 1 other reason' },
      ],
    })
    expect(log.reasons()).toEqual([
      { layer: 'threads', reason: 'idle 30 s on page 1', filters: 2 },
      { layer: 'threads', reason: 'closed: no', filters: 1 },
    ])
  })

  it('tells the failure of the whole source once: no layer is drained, and none repeats it (no false green #19)', () => {
    const log = newLog()
    log.request(REQUEST, paged(drained()))
    log.fail('connect: refused')
    log.fail('a later failure')
    expect(log.isComplete()).toBe(false)
    expect(log.report()).toMatchObject({
      reason: 'connect: refused',
      layers: [
        { end: 'not asked', reason: null },
        { end: 'incomplete', reason: null },
      ],
    })
    expect(log.reasons()).toEqual([{ layer: null, reason: 'connect: refused', filters: 0 }])
  })

  it('says how many anchors were read how, and the oldest since', () => {
    const log = newLog()
    log.anchors('threads', [anchor(), anchor(NOW - 60), anchor(NOW - 600)], POLICY)
    expect(log.report().layers[1]).toMatchObject({
      mode: 'since',
      since: NOW - 1_500,
      anchors: { full: 1, since: 2, reconcile: 0 },
    })
  })

  it('says full where no anchor used since', () => {
    const log = newLog()
    log.anchors('threads', [anchor(), anchor(NOW - 5_000)], POLICY)
    expect(log.report().layers[1]).toMatchObject({ mode: 'full', since: null })
  })

  it.each([
    ['the oldest of several', [anchor(NOW - 60), anchor(NOW - 600)], NOW - 600],
    ['that of the drained ones when one never was', [anchor(NOW - 60), anchor()], NOW - 60],
    ['null when none ever was', [anchor(), anchor()], null],
  ])('says when its anchors were last drained: %s', (_, anchors, lastDrained) => {
    const log = newLog()
    log.anchors('threads', anchors, POLICY)
    expect(log.report().lastDrained).toBe(lastDrained)
  })

  it.each<[string, PlannedAnchor[], SincePolicy, number | null]>([
    ['now after a full read', [anchor()], POLICY, NOW],
    ['that of the checkpoint after a read since', [anchor(NOW - 60, NOW - 7_000)], POLICY, NOW - 7_000],
    ['the oldest of both', [anchor(), anchor(NOW - 60, NOW - 7_000)], POLICY, NOW - 7_000],
    ['null when `--since` read what was never read in full', [anchor()], { ...POLICY, since: 5 }, null],
    ['null when nothing was read', [], POLICY, null],
  ])('knows the oldest full pass: %s', (_, anchors, policy, oldest) => {
    const log = newLog()
    log.anchors('threads', anchors, policy)
    expect(log.oldestFull()).toBe(oldest)
  })

  it('counts oddities over all layers', () => {
    const log = newLog()
    for (const layer of ['announcements', 'threads'] as const)
      log.request({ ...REQUEST, layer }, paged(drained({ malformed: 1, foreign: 2 })))
    expect(log.oddities()).toEqual({ malformed: 2, foreign: 4 })
  })

  it('says each note once', () => {
    const log = newLog()
    for (const note of ['a', 'b', 'a']) log.note(note)
    expect(log.report().notes).toEqual(['a', 'b'])
  })
})
