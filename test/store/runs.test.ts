import { describe, expect, it } from 'vitest'

import { openTemporaryState } from '../support/temporary-state.ts'

describe('the history of runs', () => {
  it('knows the scope of the last run that had one', () => {
    const { runs } = openTemporaryState().state
    expect(runs.lastScope()).toBeUndefined()
    runs.setScope(runs.begin('catchup', 1), 'listed')
    runs.begin('catchup', 2)
    expect(runs.lastScope()).toBe('listed')
  })

  it('knows it for each target', () => {
    const first = openTemporaryState({ target: 'ws://one' })
    first.state.runs.setScope(first.state.runs.begin('catchup', 1), 'all')
    expect(openTemporaryState({ file: first.file, target: 'ws://two' }).state.runs.lastScope()).toBeUndefined()
  })

  it('shows a run that was killed as one without an end', () => {
    const { state, db } = openTemporaryState()
    state.runs.begin('catchup', 1)
    const number = state.runs.begin('backfill', 2)
    state.runs.end(number, { durationMs: 12.6, exit: 3, published: 4, parked: 5 })
    const sql = 'SELECT command, started_at, duration_ms, exit, published, parked FROM run ORDER BY number'
    expect(db.prepare<[], object>(sql).all().map(Object.values)).toEqual([
      ['catchup', 1, null, null, null, null],
      ['backfill', 2, 13, 3, 4, 5],
    ])
  })
})
