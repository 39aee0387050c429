import type { UnixSeconds } from '../../time.ts'
import { ok, wrong, type Parsed } from './parsed.ts'

const TIME_HELP = 'is not a time: give Unix seconds, an ISO date, or a duration ago such as 12h or 3d'
const AGO = /^(\d{1,9})([smhdwMY])$/
const WORDS_AGO = /^(\d{1,9}) (second|minute|hour|day|week|month|year)s? ago$/
const DAYS_BEFORE = new Map([
  ['today', 0],
  ['yesterday', 1],
])
const DATE = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/i

/** Numbers that look like dates; nobody means a time in 1970 by them. */
const YEAR = /^(?:19[7-9]|20\d)\d$/
const COMPACT_DATE = /^(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])$/

/** Seconds per unit of a duration ago, as in strfry: a month is 30 days, a year 365. */
const UNIT_SECONDS: Readonly<Record<string, number>> = {
  s: 1,
  m: 60,
  h: 3600,
  d: 86_400,
  w: 604_800,
  M: 2_592_000,
  Y: 31_536_000,
  second: 1,
  minute: 60,
  hour: 3600,
  day: 86_400,
  week: 604_800,
  month: 2_592_000,
  year: 31_536_000,
}

/**
 * Parses a time to Unix seconds: up to 10 digits as they are unless they look like a date; an ISO 8601 date, or date
 * and time (without a zone: local time; a date alone: its first second); a duration before `now` (`90m`, `12h`, `3d`,
 * `2w`, `6M`, `1Y`, `9 hours ago`); or `now`, `today`, `yesterday` (the first second of that day, local time).
 */
export function parseTime(text: string, now: UnixSeconds): Parsed<UnixSeconds> {
  if (YEAR.test(text) || COMPACT_DATE.test(text)) return wrong(TIME_HELP)
  if (/^\d{1,10}$/.test(text)) return ok(Number(text))
  if (/^\d{13}$/.test(text)) return wrong('looks like milliseconds: give Unix seconds (10 digits)')
  if (text === 'now') return ok(now)
  const daysBefore = DAYS_BEFORE.get(text)
  if (daysBefore !== undefined) return ok(startOfDay(now, daysBefore))
  const ago = AGO.exec(text) ?? WORDS_AGO.exec(text)
  if (ago !== null) return parseAgo(ago, now)
  const date = DATE.exec(text)
  return date === null ? wrong(TIME_HELP) : parseDate(date)
}

/** By the calendar, because a day on which the clocks change has not 24 hours. */
function startOfDay(now: UnixSeconds, daysBefore: number): UnixSeconds {
  const today = new Date(now * 1000)
  return new Date(today.getFullYear(), today.getMonth(), today.getDate() - daysBefore).getTime() / 1000
}

function parseAgo([, amount, unit]: RegExpExecArray, now: UnixSeconds): Parsed<UnixSeconds> {
  const seconds = now - Number(amount) * (UNIT_SECONDS[unit ?? ''] ?? Number.NaN)
  return seconds >= 0 ? ok(seconds) : wrong('is before 1970')
}

/**
 * Builds the time from its parts and checks it: `new Date` would turn 30 February into 2 March, and read a bare date as
 * UTC.
 */
function parseDate(match: RegExpExecArray): Parsed<UnixSeconds> {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((part) => Number(part ?? 0))
  const date = new Date(Date.UTC(year, month - 1, day))
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return wrong('is not a day of the calendar')
  if (hour > 23 || minute > 59 || second > 59) return wrong('is not a time of day')
  const zone = match[7]
  const milliseconds =
    zone === undefined
      ? new Date(year, month - 1, day, hour, minute, second).getTime()
      : Date.UTC(year, month - 1, day, hour, minute, second) - zoneSeconds(zone) * 1000
  return milliseconds >= 0 ? ok(Math.floor(milliseconds / 1000)) : wrong('is before 1970')
}

function zoneSeconds(zone: string): number {
  if (zone.toUpperCase() === 'Z') return 0
  const [hours, minutes] = [zone.slice(1, 3), zone.slice(-2)]
  return (zone.startsWith('-') ? -1 : 1) * (Number(hours) * 3600 + Number(minutes) * 60)
}
