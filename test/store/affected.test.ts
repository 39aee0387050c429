import { describe, expect, it } from 'vitest'

import { buildHistogram } from '../../src/check/histogram.ts'
import { signingTimes } from '../../src/check/signing-times.ts'
import { openTemporaryState } from '../support/temporary-state.ts'

/** 2026-11-27T00:00:00Z */
const NOW = 1_795_737_600
const HOUR = 3_600
const MOST_ROWS = 45_000

/** A state whose spool has a ready event for each of these times, given by a query with a column `time`. */
function spoolWith(times: string) {
  const { state, db } = openTemporaryState()
  db.exec(
    `INSERT INTO spool (target, id, layer, kind, pubkey, created_at, sources, state)
     SELECT 'ws://target.example', randomblob(32), 'threads', 1, zeroblob(32), time, '[]', 'ready' FROM (${times})`,
  )
  return state.affected
}

const series = (column: string, count: number): string =>
  `WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < ${count - 1}) SELECT ${column} AS time FROM s`

describe('the hours in which missing events were signed', () => {
  it('are told one by one as far as runs without invented times have them', () => {
    const affected = spoolWith(series(`${NOW} - n * ${HOUR}`, 30_000))
    for (const rows of [affected.hours(NOW), affected.hoursOfMissing(NOW)]) {
      expect(rows).toHaveLength(30_000)
      expect(rows.at(-1)).toEqual({ hour: NOW, events: 1, first: NOW, last: NOW })
    }
  })

  it.each([
    ['every hour since 1970 and far beyond', `n * ${HOUR}`],
    ['hours over all of time', 'n * 90000000000'],
    ['hours that no clock will show', '9007199254740991 - n * 3600'],
  ])('are bounded when authors choose %s', (_, column) => {
    const affected = spoolWith(series(column, 100_000))
    for (const rows of [affected.hours(NOW), affected.hoursOfMissing(NOW)]) {
      expect(rows.length).toBeLessThan(MOST_ROWS)
      expect(rows.reduce((sum, { events }) => sum + events, 0)).toBe(100_000)
      expect(rows.map(({ hour }) => hour)).toEqual(rows.map(({ hour }) => hour).toSorted((a, b) => a - b))
    }
  })

  it('show the outage behind times that authors chose', () => {
    const outage = `SELECT ${NOW} - 40 * ${HOUR} + (n % 8) * ${HOUR} AS time FROM s`
    const affected = spoolWith(`${series('n * 80000000000', 100_000)} UNION ALL ${outage} UNION ALL ${outage}`)
    const rows = affected.hours(NOW)
    const hit = rows.filter(({ hour }) => hour >= NOW - 40 * HOUR && hour < NOW - 32 * HOUR)
    expect(hit.map(({ events }) => events)).toEqual(Array.from({ length: 8 }, () => 25_000))
    expect(signingTimes(rows).histogram.reduce((sum, { missing }) => sum + missing, 0)).toBe(300_000)
  })

  it('end in the histogram with the last of them', () => {
    const rows = spoolWith(series('9007199254740991 - n * 3600', 100_000)).hours(NOW)
    expect(buildHistogram(rows).at(-1)?.to).toBe(Number.MAX_SAFE_INTEGER)
  })
})
