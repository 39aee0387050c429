import type { RunEvent } from '../../run-event.ts'
import type { LogFormat } from '../parse/monitoring-options.ts'
import { renderJsonValue } from '../render/render-json.ts'
import { describeEvent, levelOf } from './describe-event.ts'

/** Lists and texts are cut, so that a line stays a line. */
const MAX_LISTED = 20
const MAX_TEXT = 400

/**
 * Renders one line of a log, without its newline. Text: `2026-11-27T03:17:02.114Z warn  …`. JSON: an object with `time`,
 * `level`, `message` and the fields of the event. Nothing foreign is unescaped, no query of a URL is shown.
 */
export function renderLogLine(event: RunEvent, format: LogFormat, time: Date): string {
  const level = levelOf(event)
  const message = describeEvent(event)
  if (format === 'text') return `${time.toISOString()} ${level.padEnd(5)} ${message}`
  const line: Record<string, unknown> = { time: time.toISOString(), level, message }
  for (const [name, value] of Object.entries(event)) line[name] = cut(value)
  return renderJsonValue(line)
}

/** For reading while it happens: `03:17:02 …`, with the level only where it matters. */
export function renderLiveLine(event: RunEvent, time: Date): string {
  const level = levelOf(event)
  const mark = level === 'error' || level === 'warn' ? `${level}: ` : ''
  return `${time.toTimeString().slice(0, 8)} ${mark}${describeEvent(event)}`
}

function cut(value: unknown): unknown {
  if (typeof value === 'string') return value.slice(0, MAX_TEXT)
  return Array.isArray(value) ? value.slice(0, MAX_LISTED).map(cut) : value
}
