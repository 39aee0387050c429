import { writeFileSync } from 'node:fs'

import { describe, expect, it } from 'vitest'

import type { Filter } from '../../src/nostr/filter.ts'
import { KIND } from '../../src/nostr/kinds.ts'
import { comment, deletion } from '../support/builders.ts'
import { CLOSED_MOMENTS, CLOSED_TEXTS } from '../support/contradictions.ts'
import { bob, smallRepository } from '../support/scenes.ts'
import type { Behaviour, ReqAnswer } from '../support/scripted-behaviour.ts'
import { keyOf } from '../support/sign.ts'
import { createWorkbench, idsOf, type Workbench } from '../support/workbench.ts'

const mine = smallRepository()

/** Every REQ is answered with an empty EOSE and what follows it. */
function answersNothing(after: Pick<ReqAnswer, 'closedLate' | 'lateDelayMs'>): Behaviour {
  return { onReq: () => ({ rows: [], end: { type: 'eose' }, ...after }) }
}

function keyArguments(bench: Workbench): string[] {
  writeFileSync(bench.path('key'), Buffer.from(keyOf('operator').secret).toString('hex'), { mode: 0o600 })
  return ['--key-file', bench.path('key')]
}

describe('a source that says EOSE and then CLOSED', () => {
  it('was read when the CLOSED is empty: so ngit-grasp ends a REQ for ids (no false green #1)', async () => {
    const bench = createWorkbench()
    const onReq: Behaviour['onReq'] = ({ answer }) => ({ ...answer, closedLate: '', lateDelayMs: 0 })
    const source = await bench.scripted({ events: mine.events, onReq })
    const target = await bench.scripted({ onReq })
    const { code, report } = await bench.catchup(source, target)
    expect([code, report.totals.published]).toEqual([0, mine.events.length])
  })

  for (const { when, lateDelayMs } of CLOSED_MOMENTS) {
    for (const closedLate of CLOSED_TEXTS) {
      it(`was not read: ${closedLate.split(':')[0]}, ${when} (no false green #1)`, async () => {
        const bench = createWorkbench()
        const source = await bench.scripted({ events: mine.events, ...answersNothing({ closedLate, lateDelayMs }) })
        const target = await bench.scripted()
        const { code, report } = await bench.catchup(source, target, '--idle-timeout', '500ms')
        expect(code).toBe(3)
        expect(JSON.stringify(report.problems)).toContain(closedLate)
        expect(bench.checkpoints(source)).toEqual([])
      })
    }

    it(`is read after all with a key, ${when} (no false green #1)`, async () => {
      const bench = createWorkbench()
      const source = await bench.scripted({ events: mine.events, requireAuth: ['write'] })
      // It asks who we are when it closes, and not before.
      const { behaviour } = source
      behaviour.outgoing = (frame) => {
        if (frame[0] === 'AUTH') return []
        return frame[0] === 'CLOSED' ? [['AUTH', 'challenge-0'], frame] : [frame]
      }
      behaviour.onReq = ({ authenticated, answer }) =>
        authenticated ? answer : { ...answer, rows: [], closedLate: 'auth-required: who are you', lateDelayMs }
      const target = await bench.scripted()
      const { code, report } = await bench.catchup(source, target, ...keyArguments(bench))
      expect([code, report.problems]).toEqual([0, []])
      expect(idsOf(target.events.values())).toEqual(idsOf(mine.events))
    })
  }

  it('is asked at most three times for the same (no false green #1)', async () => {
    const bench = createWorkbench()
    const after = { closedLate: 'error: no', lateDelayMs: 20 }
    const source = await bench.scripted({ events: mine.events, ...answersNothing(after) })
    await bench.catchup(source, await bench.scripted())
    const asked = source.received.reqs
      .map(({ filters }) => JSON.stringify(filters))
      .filter((each) => each.includes('30617'))
    for (const filters of new Set(asked)) expect(asked.filter((each) => each === filters).length).toBeLessThanOrEqual(3)
  })

  it('was read when it only confirms our CLOSE (no false green #1)', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: mine.events })
    source.behaviour.onReq = ({ answer }) => ({ ...answer, closedLate: '', lateDelayMs: 20 })
    const { code } = await bench.catchup(source, await bench.scripted())
    expect(code).toBe(0)
  })

  it('was not read where it goes away instead (no false green #1)', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: mine.events })
    source.behaviour.onReq = () => ({ rows: [], end: { type: 'eose' }, late: [], lateDelayMs: 20 })
    source.behaviour.outgoing = (frame) => {
      if (frame[0] === 'EOSE') setTimeout(() => source.dropConnections(), 20)
      return [frame]
    }
    const { code, report } = await bench.catchup(source, await bench.scripted())
    expect(code).toBe(3)
    expect(JSON.stringify(report.problems)).toMatch(/right after its EOSE|disconnected/)
    expect(bench.checkpoints(source)).toEqual([])
  })
})

describe('a source that says EOSE before its rows', () => {
  it.each(CLOSED_MOMENTS)('was not read, $when (no false green #1)', async ({ lateDelayMs }) => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: mine.events })
    source.behaviour.onReq = ({ answer }) => ({ ...answer, rows: [], late: answer.rows, lateDelayMs })
    const { code, report } = await bench.catchup(source, await bench.scripted())
    expect(code).toBe(3)
    expect(JSON.stringify(report.problems)).toMatch(/\d+ rows? came after its EOSE/)
    expect(bench.checkpoints(source)).toEqual([])
  })

  it('is read again, once, for an event that arrives between EOSE and our CLOSE (no false green #1)', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: mine.events })
    const fresh = comment(mine.issue, bob, { createdAt: Math.floor(Date.now() / 1000), content: 'just now' })
    let isNew = true
    source.behaviour.onReq = ({ filters: [filter], answer }) => {
      if (filter?.['#E'] === undefined || !isNew) return answer
      isNew = false
      source.events.set(fresh.id, fresh)
      return { ...answer, late: [fresh], lateDelayMs: 20 }
    }
    const target = await bench.scripted()
    const { code } = await bench.catchup(source, target)
    expect(code).toBe(0)
    expect(idsOf(target.events.values())).toEqual(idsOf([...mine.events, fresh]))
  })
})

describe('a reading by NIP-77', () => {
  it.each(['NEG-ERR', 'CLOSED'])('does not count when %s follows its end (no false green #1)', async (label) => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: mine.events, negentropy: true })
    const target = await bench.scripted({ events: mine.events.slice(0, 3), negentropy: true })
    source.behaviour.onNegClose = (subId) => [label, subId, 'error: the snapshot is stale']
    const { code, report } = await bench.catchup(source, target)
    expect(code).toBe(3)
    expect(JSON.stringify(report.problems)).toContain('the snapshot is stale')
    expect(bench.checkpoints(source).filter(({ layer }) => layer === 'repositories')).toEqual([])
  })

  it('does not count when a NEG-ERR without a reason follows its end (no false green #1)', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: mine.events, negentropy: true })
    const target = await bench.scripted({ events: mine.events.slice(0, 3), negentropy: true })
    source.behaviour.onNegClose = (subId) => ['NEG-ERR', subId, '']
    const { code } = await bench.catchup(source, target)
    expect(code).toBe(3)
  })

  it('does not count when CLOSED follows the events that were fetched by id (no false green #1)', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: mine.events, negentropy: true })
    const target = await bench.scripted({ events: mine.events.slice(0, 2), negentropy: true })
    source.behaviour.onReq = ({ filters: [filter], answer }) =>
      filter?.ids === undefined ? answer : { ...answer, rows: [], closedLate: 'restricted: no', lateDelayMs: 20 }
    const { code } = await bench.catchup(source, target)
    expect(code).toBe(3)
    expect(bench.checkpoints(source).filter(({ layer }) => layer === 'repositories')).toEqual([])
  })
})

describe('a target whose announcements and roots are read', () => {
  it.each(CLOSED_MOMENTS)(
    'was not read when CLOSED follows its EOSE, $when (no false green #1)',
    async ({ lateDelayMs }) => {
      const bench = createWorkbench()
      const source = await bench.scripted({ events: mine.events })
      const target = await bench.scripted({ events: mine.events.slice(0, 1) })
      target.behaviour.onReq = ({ filters: [filter], answer }) =>
        filter?.kinds === undefined ? answer : { ...answer, rows: [], closedLate: 'error: no', lateDelayMs }
      const { code, report } = await bench.catchup(source, target)
      expect(code).toBe(3)
      expect(JSON.stringify(report.problems)).toContain('error: no')
      expect(bench.checkpoints(source)).toEqual([])
    },
  )
})

describe('a relay that takes back what it said of deletions', () => {
  const doomed = comment(mine.issue, bob, { createdAt: 1_700_000_900 })
  const remorse = deletion({ ids: [doomed.id] }, bob, { createdAt: 1_700_000_901 })
  const isAboutDeletions = (filter: Filter): boolean => filter.kinds?.includes(KIND.deletion) === true && '#e' in filter

  for (const [what, after] of [
    ['a CLOSED', () => ({ closedLate: 'restricted: not you' })],
    ['the rows', (rows: ReqAnswer['rows']) => ({ late: rows })],
  ] as const) {
    it(`by ${what} 20 ms later was not read to its end (no false green #1)`, async () => {
      const bench = createWorkbench()
      const events = [...mine.events, doomed, remorse]
      const onReq: Behaviour['onReq'] = ({ filters, answer }) =>
        filters.some(isAboutDeletions)
          ? { rows: [], end: { type: 'eose' }, lateDelayMs: 20, ...after(answer.rows) }
          : { ...answer, rows: answer.rows.filter((row) => row !== remorse) }
      const source = await bench.scripted({ events, onReq })
      const { code, report } = await bench.catchup(source, await bench.scripted())
      expect(code).toBe(3)
      expect(JSON.stringify(report.problems)).toMatch(/after (its )?EOSE/)
      expect(bench.checkpoints(source)).toEqual([])
    })

    it(`by ${what} a moment later, as a target, makes the run partial (no false green #1)`, async () => {
      const bench = createWorkbench()
      const onReq: Behaviour['onReq'] = ({ filters, answer }) =>
        filters.some(isAboutDeletions)
          ? { rows: [], end: { type: 'eose' }, lateDelayMs: 100, ...after(answer.rows) }
          : answer
      const source = await bench.scripted({ events: [...mine.events, doomed] })
      const target = await bench.scripted({ events: [...mine.events, remorse], onReq, deletions: false })
      const { code, report } = await bench.catchup(source, target)
      expect(report.problems).toMatchObject([
        { what: 'gap', reason: expect.stringMatching(/deletions and versions: .*after (its )?EOSE/) as string },
      ])
      expect([code, bench.checkpoints(source)]).toEqual([3, []])
    })
  }
})
