import { describe, expect, it } from 'vitest'
import { parseTime } from '../../src/cli/parse/parse-time.ts'

// A zone whose offset is no whole hour: local time must not be mistaken for UTC.
process.env['TZ'] = 'America/St_Johns'

const NOW = 1_763_900_000
const local = (...[year, month, day, hour = 0, minute = 0, second = 0]: number[]): number =>
  new Date(year ?? 0, (month ?? 0) - 1, day, hour, minute, second).getTime() / 1000
const utc = (text: string): number => Date.parse(text) / 1000

describe('parseTime', () => {
  it('runs in a zone that is not UTC', () => {
    expect(new Date(NOW * 1000).getTimezoneOffset()).toBe(210)
  })

  it.each([
    ['1763900000', NOW],
    ['999999999', 999_999_999],
    ['0', 0],
    ['12', 12],
    ['86400', 86_400],
    ['12345678', 12_345_678],
    ['30s', NOW - 30],
    ['90m', NOW - 5400],
    ['12h', NOW - 43_200],
    ['3d', NOW - 259_200],
    ['2w', NOW - 1_209_600],
    ['6M', NOW - 180 * 86_400],
    ['1Y', NOW - 365 * 86_400],
    ['0s', NOW],
    ['now', NOW],
    ['9 hours ago', NOW - 32_400],
    ['1 hour ago', NOW - 3600],
    ['90 seconds ago', NOW - 90],
    ['2 weeks ago', NOW - 1_209_600],
    ['6 months ago', NOW - 180 * 86_400],
    ['today', local(2025, 11, 23)],
    ['yesterday', local(2025, 11, 22)],
    ['2025-11-20', local(2025, 11, 20)],
    ['2025-11-20T03:04', local(2025, 11, 20, 3, 4)],
    ['2025-11-20 03:04:05', local(2025, 11, 20, 3, 4, 5)],
    ['2025-11-20T03:04:05.678', local(2025, 11, 20, 3, 4, 5)],
    ['2025-11-20T03:04:05Z', utc('2025-11-20T03:04:05Z')],
    ['2025-11-20t03:04:05z', utc('2025-11-20T03:04:05Z')],
    ['2025-11-20T03:04+01:00', utc('2025-11-20T03:04:00+01:00')],
    ['2025-11-20T03:04-0530', utc('2025-11-20T03:04:00-05:30')],
    ['2024-02-29T00:00Z', utc('2024-02-29T00:00:00Z')],
  ])('reads %s', (text, expected) => {
    expect(parseTime(text, NOW)).toEqual({ type: 'ok', value: expected })
  })

  it.each([
    ['yesterdayish', /^is not a time: give Unix seconds, an ISO date, or a duration ago such as 12h or 3d$/],
    ['', /is not a time/],
    ['Yesterday', /is not a time/],
    ['tomorrow', /is not a time/],
    ['constructor', /is not a time/],
    ['nine hours ago', /is not a time/],
    ['9 hours', /is not a time/],
    ['9  hours ago', /is not a time/],
    ['9h ago', /is not a time/],
    ['999999999 years ago', /before 1970/],
    ['-5', /is not a time/],
    ['1.5h', /is not a time/],
    ['3D', /is not a time/],
    ['2024', /is not a time/],
    ['20240229', /is not a time/],
    ['2025-11', /is not a time/],
    ['2025-11-20T03', /is not a time/],
    ['1763900000000', /milliseconds/],
    ['2025-02-30', /calendar/],
    ['2025-13-01', /calendar/],
    ['2025-00-10', /calendar/],
    ['2023-02-29', /calendar/],
    ['2025-11-20T24:00', /time of day/],
    ['2025-11-20T03:60', /time of day/],
    ['1969-12-31T00:00Z', /before 1970/],
    ['100Y', /before 1970/],
  ])('refuses "%s"', (text, problem) => {
    expect(parseTime(text, NOW)).toEqual({
      type: 'wrong',
      problem: expect.stringMatching(problem) as string,
      secret: false,
    })
  })
})
