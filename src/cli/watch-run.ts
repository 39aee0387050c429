/*
 * Tells the world around a run how it goes: the terminal, a log, a watchdog, and metrics at its end. None of these can
 * end a run or change its exit code; what fails is a line on standard error. Each loads only if it is wanted.
 */
import { resolve } from 'node:path'
import { UsageError } from '../errors.ts'
import { isSameFile } from '../file/same-file.ts'
import type { Report } from '../report/report.ts'
import type { RunEvent, Tell } from '../run-event.ts'
import { escapeForTerminal } from './escape.ts'
import { maskUrls } from './mask-url.ts'
import type { Log } from './monitor/log.ts'
import type { Ping } from './monitor/ping.ts'
import type { ParsedOptions } from './parse/options.ts'
import { createProgress } from './progress.ts'

type RunLine = Extract<ParsedOptions, { type: 'run' }>

/** What is around the run. `version`: of this program. */
export type WatchPlace = {
  readonly stateFile: string
  readonly stderr: NodeJS.WriteStream
  readonly version: string
}

/** How a run ended; without a report it failed by the error. */
export type Ending = { readonly exit: number; readonly report?: Report | undefined; readonly error?: unknown }

/** Watches one run. */
export type Watch = {
  /** Takes what happens; `undefined` if nobody wants to know. */
  readonly tell: Tell | undefined
  /** Opens the log and tells the watchdog. Throws UsageError if a file cannot be written. */
  begin(): Promise<void>
  /** Clears the line of progress. */
  stopProgress(): void
  /** Tells everybody how the run ended. Never throws. */
  end(ending: Ending): Promise<void>
}

const MAX_PROBLEMS = 1_000

/** Returns a watch over a run that has not begun. */
export function createWatch(line: RunLine, place: WatchPlace): Watch {
  return new RunWatch(line, place)
}

class RunWatch implements Watch {
  readonly #line: RunLine
  readonly #place: WatchPlace
  readonly #startMs = performance.now()
  readonly #progress
  readonly #listeners: Tell[] = []
  #log: Log | undefined
  #ping: Ping | undefined
  /** The metrics file was found to be one that may be written. */
  #isMeasured = false

  constructor(line: RunLine, place: WatchPlace) {
    this.#line = line
    this.#place = place
    const { stderr } = place
    const { quiet } = line.output
    this.#progress = createProgress({ stream: stderr, isTTY: stderr.isTTY, quiet, statsMs: line.monitoring.statsMs })
  }

  get tell(): Tell | undefined {
    const { quiet } = this.#line.output
    const all = quiet ? this.#listeners : [this.#progress.tell, ...this.#listeners]
    if (all.length <= 1) return all[0]
    return (event) => all.forEach((tell) => tell(event))
  }

  async begin(): Promise<void> {
    const { monitoring, output, options } = this.#line
    const { metricsFile, ping, logFile } = monitoring
    if (metricsFile !== undefined && !this.#isRehearsal()) {
      this.#refuseSharing('--metrics-file', metricsFile)
      const { refuseMetricsFile } = await import('./monitor/metrics-file.ts')
      refuseMetricsFile(metricsFile)
      this.#isMeasured = true
    }
    if (ping !== undefined && !this.#isRehearsal()) {
      const { createPing } = await import('./monitor/ping.ts')
      this.#ping = createPing(ping, this.#warn)
      this.#ping.start()
    }
    if (logFile !== undefined) {
      this.#refuseSharing('--log-file', logFile)
      const { openLogFile } = await import('./monitor/log.ts')
      this.#log = openLogFile(logFile, monitoring, this.#warn)
      this.#listeners.push(this.#log.tell)
    }
    if (output.verbose) {
      const { createLiveLog } = await import('./monitor/log.ts')
      this.#listeners.push(createLiveLog(monitoring, this.#progress.print))
    }
    const { command, target, sources } = options
    this.#note({ type: 'begun', command, target, sources })
  }

  readonly stopProgress = (): void => this.#progress.stop()

  async end(ending: Ending): Promise<void> {
    this.#progress.stop()
    const durationMs = Math.round(performance.now() - this.#startMs)
    if (this.#isMeasured) await this.#measure(ending, durationMs)
    if (this.#listeners.length === 0 && this.#ping === undefined) return
    const { exit, report } = ending
    const verdict = await verdictOf(ending)
    if (report !== undefined) this.#noteReport(report)
    this.#note({ type: 'ended', exit, durationMs, verdict })
    this.#log?.close()
    await this.#ping?.end(exit, `${verdict}\n`)
  }

  /** For the log and the live lines: the progress line shows only what the run does. */
  #note(event: RunEvent): void {
    for (const tell of this.#listeners) tell(event)
  }

  #noteReport({ sources, problems }: Report): void {
    for (const { url, complete, layers } of sources) {
      const events = layers.reduce((sum, layer) => sum + layer.events, 0)
      this.#note({ type: 'source', source: url, complete, events })
    }
    for (const { what, where, reason, count } of problems.slice(0, MAX_PROBLEMS))
      this.#note({ type: 'problem', what, where, reason, count })
  }

  readonly #warn = (line: string): void => {
    this.#progress.print(`${escapeForTerminal(maskUrls(line), { maxLength: 1000 })}\n`)
  }

  /** A dry run proves nothing about the target, so it resets no alert. */
  #isRehearsal(): boolean {
    const { command, dryRun } = this.#line.options
    return dryRun && command !== 'check'
  }

  #refuseSharing(flag: string, path: string): void {
    const { sources, target } = this.#line.options
    const other = [...sources, target, this.#place.stateFile].find((end) => isOneFile(end, path))
    if (other !== undefined) throw new UsageError([`${flag} ${path} and ${other} are one file: give another file`])
  }

  async #measure({ exit, report }: Ending, durationMs: number): Promise<void> {
    const { options, monitoring } = this.#line
    const path = monitoring.metricsFile ?? ''
    const { command, target, sources, shard } = options
    const end = { command, target, sources, shard, exit, durationMs, report, endedAt: Math.floor(Date.now() / 1000) }
    try {
      const { listMetrics } = await import('./monitor/metrics.ts')
      const { writeMetrics } = await import('./monitor/metrics-file.ts')
      const { loadHistory } = await import('./monitor/load-history.ts')
      const build = { version: this.#place.version, node: process.version }
      await writeMetrics(path, listMetrics(end, loadHistory(path, end, this.#place.stateFile), build))
    } catch (error) {
      const { fileReasonOf } = await import('../file/file-error.ts')
      this.#warn(`warning: the metrics file ${path} could not be written: ${fileReasonOf(error)}`)
    }
  }
}

function isOneFile(end: string, path: string): boolean {
  return end !== '-' && (resolve(end) === resolve(path) || isSameFile(end, path))
}

/** The verdict of the report on one line, or else the error. */
async function verdictOf({ exit, report, error }: Ending): Promise<string> {
  if (error === undefined && report !== undefined) {
    const { renderVerdictLine } = await import('./render/render-verdict.ts')
    return renderVerdictLine(report, Math.floor(Date.now() / 1000))
  }
  const { exitWord } = await import('./exit-codes.ts')
  const { renderError } = await import('./render/render-error.ts')
  const problem = renderError(error).trim().replaceAll('\n', '; ')
  return `${exitWord(exit)} (${exit}): ${problem}`
}
