/** Formats a whole number, 0 or more, with thousands separators. `Intl` takes 15 ms at its first use. */
export function formatCount(count: number): string {
  const digits = String(count)
  return digits.length <= 3 ? digits : `${formatCount(Math.floor(count / 1000))},${digits.slice(-3)}`
}

/** Like `formatCount`, in at most nine characters: `9,999,999`, then `12.3 M`. */
export function formatShortCount(count: number): string {
  return count < 10_000_000 ? formatCount(count) : scale(count, ['', 'k', 'M', 'G', 'T', 'P', 'E'])
}

/** Formats a number and its noun: `1 event`, `2,100 events`, `no events`. */
export function formatPlural(count: number, noun: string, plural = `${noun}s`): string {
  return `${count === 0 ? 'no' : formatCount(count)} ${count === 1 ? noun : plural}`
}

/** Formats a number of bytes in decimal units: `31 kB`, `5.2 MB`. */
export function formatBytes(bytes: number): string {
  return scale(bytes, ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'])
}

function scale(amount: number, units: readonly string[]): string {
  let value = amount
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit += 1
  }
  const isShort = unit >= 2 && value < 99.95
  return `${isShort ? value.toFixed(1) : formatCount(Math.round(value))} ${units[unit] ?? ''}`
}

/** Formats a duration: `850 ms`, `1.4 s`, `9 min 31 s`, `2 h 47 min`, `3 d 4 h`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 999.5) return `${Math.round(milliseconds)} ms`
  if (milliseconds < 9950) return `${(milliseconds / 1000).toFixed(1)} s`
  const seconds = Math.round(milliseconds / 1000)
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return twoUnits(seconds, [60, 'min'], [1, 's'])
  if (seconds < 172_800) return twoUnits(seconds, [3600, 'h'], [60, 'min'])
  return twoUnits(seconds, [86_400, 'd'], [3600, 'h'])
}

function twoUnits(seconds: number, [large, largeName]: [number, string], [small, smallName]: [number, string]): string {
  const rest = Math.floor((seconds % large) / small)
  const whole = `${formatCount(Math.floor(seconds / large))} ${largeName}`
  return rest === 0 ? whole : `${whole} ${rest} ${smallName}`
}
