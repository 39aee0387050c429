import type { UnixSeconds } from '../../time.ts'
import { formatCount } from './format-quantity.ts'

/** The inputs of formatting times. `timeZone` undefined means the local zone. */
export type TimeContext = { readonly now: UnixSeconds; readonly timeZone: string | undefined }

const SIX_DAYS = 6 * 86_400
const YEAR = 365 * 86_400
const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
/** The last second that `Date` can represent; authors may choose later ones. */
const LAST_SECOND = 8_640_000_000_000

/** Formats a time with its age: `Sat 03:00, 29 h ago`, or with the date if it is six days away or more. */
export function formatTimeWithAge(time: UnixSeconds, context: TimeContext): string {
  return `${formatTime(time, context)}, ${formatAge(time, context.now)}`
}

/** Formats a time in the given zone: `Sat 03:00`, or `2026-11-12 03:00` if it is six days away or more. */
export function formatTime(time: UnixSeconds, context: TimeContext): string {
  const isNear = Math.abs(context.now - time) < SIX_DAYS && Math.abs(time) <= LAST_SECOND
  if (!isNear) return formatDateTime(time, context)
  const part = timeParts(time, context.timeZone)
  return `${part('weekday')} ${part('hour')}:${part('minute')}`
}

/** Formats a time, always with its date: `2026-11-12 03:00`. */
export function formatDateTime(time: UnixSeconds, context: TimeContext): string {
  if (!(Math.abs(time) <= LAST_SECOND)) return `second ${time}`
  const part = timeParts(time, context.timeZone)
  return `${formatDate(time, context)} ${part('hour')}:${part('minute')}`
}

/** Formats the day of a time: `2026-11-12`. */
export function formatDate(time: UnixSeconds, { timeZone }: TimeContext): string {
  if (!(Math.abs(time) <= LAST_SECOND)) return `second ${time}`
  const part = timeParts(time, timeZone)
  return `${part('year')}-${part('month')}-${part('day')}`
}

/** Formats an age: `just now`, `12 min ago`, `29 h ago`, `3 d ago`, or `in 5 min`. */
export function formatAge(time: UnixSeconds, now: UnixSeconds): string {
  const seconds = Math.abs(now - time)
  if (seconds < 1) return 'just now'
  const [size, unit] = ageUnit(seconds)
  const amount = `${formatCount(Math.floor(seconds / size))} ${unit}`
  return time <= now ? `${amount} ago` : `in ${amount}`
}

function ageUnit(seconds: number): [size: number, unit: string] {
  if (seconds < 120) return [1, 's']
  if (seconds < 7200) return [60, 'min']
  if (seconds < 172_800) return [3600, 'h']
  return seconds < 2 * YEAR ? [86_400, 'd'] : [YEAR, 'y']
}

type TimePart = 'weekday' | 'year' | 'month' | 'day' | 'hour' | 'minute'

/** The parts of a time. `Intl`, which takes 15 ms at its first use, is needed for other zones than the local one. */
function timeParts(time: UnixSeconds, timeZone: string | undefined): (type: TimePart) => string {
  if (timeZone === undefined) return localParts(new Date(time * 1000))
  const format = new Intl.DateTimeFormat('en-GB', {
    weekday: 'short',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    timeZone,
  })
  const parts = new Map(format.formatToParts(time * 1000).map(({ type, value }) => [String(type), value]))
  return (type) => parts.get(type) ?? ''
}

function localParts(date: Date): (type: TimePart) => string {
  const parts: Readonly<Record<TimePart, string>> = {
    weekday: WEEKDAYS[date.getDay()] ?? '',
    year: String(date.getFullYear()),
    month: twoDigits(date.getMonth() + 1),
    day: twoDigits(date.getDate()),
    hour: twoDigits(date.getHours()),
    minute: twoDigits(date.getMinutes()),
  }
  return (type) => parts[type]
}

function twoDigits(count: number): string {
  return String(count).padStart(2, '0')
}
