import type { SendLimit } from '../../report/run-options.ts'
import type { Rate } from '../../time.ts'
import { ok, wrong, type Parsed } from './parsed.ts'

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const UNIT_BYTES: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
}

/** Parses a duration such as `500ms`, `10s`, `5m`, `1h` or `30d` to milliseconds; `0` needs no unit. */
export function parseDurationMs(text: string): Parsed<number> {
  if (text === '0') return ok(0)
  const match = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)$/.exec(text)
  if (match === null) return wrong('is not a duration: give a number with ms, s, m, h or d, such as 500ms, 10s or 15m')
  return ok(Number(match[1]) * (UNIT_MS[match[2] ?? ''] ?? Number.NaN))
}

/** Like `parseDurationMs`, for timeouts: more than zero and at most a day. */
export function parseTimeoutMs(text: string): Parsed<number> {
  return parseWaitMs(text, 1)
}

/** Like `parseTimeoutMs`, up to 24 days: about the limit of setTimeout. */
export function parseRunDurationMs(text: string): Parsed<number> {
  return parseWaitMs(text, 24)
}

function parseWaitMs(text: string, maxDays: number): Parsed<number> {
  const parsed = parseDurationMs(text)
  if (parsed.type === 'wrong') return parsed
  if (parsed.value < 1) return wrong('is too short: give at least 1ms')
  return parsed.value > maxDays * 86_400_000
    ? wrong(`is too long: give at most ${maxDays}d`)
    : ok(Math.round(parsed.value))
}

/** Like `parseDurationMs`, in seconds, rounded up. */
export function parseDurationSeconds(text: string): Parsed<number> {
  const parsed = parseDurationMs(text)
  return parsed.type === 'wrong' ? parsed : ok(Math.ceil(parsed.value / 1000))
}

/** Parses a duration to seconds, or `never` to `Infinity`. */
export function parseIntervalSeconds(text: string): Parsed<number> {
  if (text.toLowerCase() === 'never') return ok(Infinity)
  const parsed = parseDurationSeconds(text)
  return parsed.type === 'wrong' ? wrong('is not a duration or never: give for example 24h or 7d') : parsed
}

/**
 * Parses a sending rate: `60/m`, `1/s`, `10/h`, or `none` for no limit. Events are sent one by one, never in a burst.
 */
export function parseRate(text: string): Parsed<Rate | 'none'> {
  if (text.toLowerCase() === 'none') return ok('none')
  const match = /^(\d{1,6})\/(s|m|h)$/.exec(text)
  const count = Number(match?.[1] ?? 0)
  if (count === 0) return wrong('is not a rate: give for example 60/m, 1/s or 10/h, or none')
  return ok({ burst: 1, intervalMs: (UNIT_MS[match?.[2] ?? ''] ?? 0) / count })
}

/** Parses a size such as `500MB`, `2GiB` or `1000000` to bytes: MB is in thousands, MiB in 1024s. */
export function parseBytes(text: string): Parsed<number> {
  const match = /^(\d{1,15}(?:\.\d{1,3})?) ?([a-z]{0,3})$/i.exec(text)
  const unit = UNIT_BYTES[(match?.[2] ?? 'none').toLowerCase()]
  if (match === null || unit === undefined) return wrong('is not a size: give for example 500MB or 2GiB')
  const bytes = Math.floor(Number(match[1]) * unit)
  if (bytes < 1) return wrong('is too small: give at least 1 byte')
  return Number.isSafeInteger(bytes) ? ok(bytes) : wrong('is too large')
}

/** Parses how much a plan may send: a number of events, or a percentage from 0 to 10000. */
export function parseSendLimit(text: string): Parsed<SendLimit> {
  const match = /^(\d{1,9})(?:(\.\d{1,3})?(%))?$/.exec(text)
  if (match === null) return wrong('is no limit: give a number of events such as 500, or a percentage such as 10%')
  const [, digits = '', fraction = '', sign] = match
  const value = Number(digits + fraction)
  if (sign === undefined) return ok({ type: 'events', count: value })
  return value > 10_000 ? wrong('is too large: give at most 10000%') : ok({ type: 'percent', percent: value })
}

/** Returns a parser for a whole number within the bounds, both inclusive. */
export function parseInteger(bounds: { min: number; max: number }): (text: string) => Parsed<number> {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
    const isInside = value >= bounds.min && value <= bounds.max
    return isInside ? ok(value) : wrong(`is not a whole number from ${bounds.min} to ${bounds.max}`)
  }
}
