import { closeSync, openSync, writeSync } from 'node:fs'
import { UsageError } from '../../errors.ts'
import { fileReasonOf } from '../../file/file-error.ts'
import type { RunEvent, Tell } from '../../run-event.ts'
import { LOG_LEVELS, type LogLevel, type MonitoringOptions } from '../parse/monitoring-options.ts'
import { levelOf } from './describe-event.ts'
import { renderLiveLine, renderLogLine } from './log-line.ts'

/** A log of one run. */
export type Log = { readonly tell: Tell; close(): void }

type LogOptions = Pick<MonitoringOptions, 'logFormat' | 'logLevel'>

/**
 * Opens a log file for appending, new ones for their owner only (0600). Throws UsageError if that fails. If a line cannot
 * be written, `warn` is told once and nothing more is written: a log ends no run.
 */
export function openLogFile(path: string, options: LogOptions, warn: (line: string) => void): Log {
  const file = openForAppending(path)
  let isBroken = false
  const tell = (event: RunEvent): void => {
    if (isBroken || !isWanted(event, options.logLevel)) return
    try {
      writeSync(file, `${renderLogLine(event, options.logFormat, new Date())}\n`)
    } catch (error) {
      isBroken = true
      warn(`warning: the log ${path} ends here: ${fileReasonOf(error)}`)
    }
  }
  return { tell, close: () => closeSync(file) }
}

/** What the report tells anyway, which follows on standard output. */
const TOLD_BY_REPORT: readonly RunEvent['type'][] = ['source', 'problem', 'ended']

/** Returns a listener that prints each line as it happens. */
export function createLiveLog({ logFormat, logLevel }: LogOptions, print: (text: string) => void): Tell {
  return (event) => {
    if (!isWanted(event, logLevel) || TOLD_BY_REPORT.includes(event.type)) return
    const now = new Date()
    print(`${logFormat === 'json' ? renderLogLine(event, 'json', now) : renderLiveLine(event, now)}\n`)
  }
}

function openForAppending(path: string): number {
  try {
    return openSync(path, 'a', 0o600)
  } catch (error) {
    throw new UsageError([`--log-file ${path} cannot be written: ${fileReasonOf(error)}`])
  }
}

function isWanted(event: RunEvent, level: LogLevel): boolean {
  return LOG_LEVELS.indexOf(levelOf(event)) <= LOG_LEVELS.indexOf(level)
}
