import { describe, expect, it } from 'vitest'
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatPlural,
  formatShortCount,
} from '../../src/cli/render/format-quantity.ts'
import { formatAge, formatTime, formatTimeWithAge } from '../../src/cli/render/format-time.ts'

const NOW = 1_763_900_000

describe('numbers', () => {
  it('have thousands separators', () => {
    expect(formatCount(15_505)).toBe('15,505')
    expect(formatShortCount(9_999_999)).toBe('9,999,999')
    expect(formatShortCount(12_345_678)).toBe('12.3 M')
  })

  it('have nouns in singular and plural', () => {
    expect([0, 1, 2].map((count) => formatPlural(count, 'event'))).toEqual(['no events', '1 event', '2 events'])
    expect(formatPlural(2, 'repository', 'repositories')).toBe('2 repositories')
  })
})

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1 kB'],
    [31_000, '31 kB'],
    [999_600, '1.0 MB'],
    [5_200_000, '5.2 MB'],
    [410_000_000, '410 MB'],
    [2_147_483_648, '2.1 GB'],
  ])('%i is %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text)
  })
})

describe('formatDuration', () => {
  it.each([
    [0, '0 ms'],
    [850, '850 ms'],
    [999.7, '1.0 s'],
    [1400, '1.4 s'],
    [12_300, '12 s'],
    [59_700, '1 min'],
    [571_000, '9 min 31 s'],
    [10_020_000, '2 h 47 min'],
    [273_600_000, '3 d 4 h'],
  ])('%d ms is %s', (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text)
  })
})

describe('times', () => {
  it.each([
    [NOW - 29 * 3600, 'Sat 07:13, 29 h ago'],
    [NOW - 5, 'Sun 12:13, 5 s ago'],
    [NOW, 'Sun 12:13, just now'],
    [NOW + 300, 'Sun 12:18, in 5 min'],
    [NOW - 10 * 86_400, '2025-11-13 12:13, 10 d ago'],
    [0, '1970-01-01 00:00, 55 y ago'],
  ])('%i is %s', (time, text) => {
    expect(formatTimeWithAge(time, { now: NOW, timeZone: 'UTC' })).toBe(text)
  })

  it('are local', () => {
    expect(formatTime(NOW, { now: NOW, timeZone: 'America/St_Johns' })).toBe('Sun 08:43')
  })

  it('beyond the calendar are seconds: authors choose them', () => {
    expect(formatTime(Number.MAX_SAFE_INTEGER, { now: NOW, timeZone: 'UTC' })).toBe('second 9007199254740991')
    expect(formatAge(NOW - 119, NOW)).toBe('119 s ago')
  })
})
