import type { Ora } from 'ora'
import type { RunEvent } from '../run-event.ts'
import { ProgressTally } from './progress-tally.ts'
import { renderForecast, renderProgress } from './render/render-progress.ts'
import { renderServing } from './render/render-serving.ts'

/** Shows a person how a run goes on. */
export type Progress = {
  tell(event: RunEvent): void
  /** Prints whole lines, above the progress line if there is one. */
  print(text: string): void
  /** Clears the line and ends the output; may be called again. */
  stop(): void
}

/** The stream for the progress, and the clock for its estimates (milliseconds). */
export type ProgressOptions = {
  readonly stream: NodeJS.WriteStream
  readonly isTTY: boolean
  readonly quiet: boolean
  /** Where there is no terminal, a line is printed this often. @default never */
  readonly statsMs?: number | undefined
  /** @default Date.now */
  readonly nowMs?: () => number
}

const REFRESH_MS = 100
const WIDTH_WITHOUT_TERMINAL = 120

/** A line of progress that is shown until it is stopped. */
type Line = { clear(): void; stop(): void }

/**
 * Shows progress as one line that is rewritten on a terminal, or elsewhere as a line every `statsMs`; says beforehand
 * what takes long. With `quiet`, shows nothing by itself.
 */
export function createProgress(options: ProgressOptions): Progress {
  const { stream, isTTY, quiet, statsMs, nowMs = Date.now } = options
  const print = (text: string): void => void stream.write(text)
  if (quiet) return { tell: () => undefined, print, stop: () => undefined }
  const tally = new ProgressTally(nowMs)
  let line: Line | undefined
  let isStopped = false
  const printAbove = (text: string): void => {
    line?.clear()
    print(text)
  }
  const tell = (event: RunEvent): void => {
    // Not before the run: a password may be asked for.
    if (!isStopped) line ??= isTTY ? showLine(stream, tally) : repeatLine(print, tally, statsMs)
    tally.tell(event)
    if (event.type === 'sending' && event.forecast !== undefined)
      printAbove(`${renderForecast(event.events, event.forecast)}\n`)
    if (event.type === 'serving') printAbove(renderServing(event))
  }
  const stop = (): void => {
    isStopped = true
    line?.stop()
  }
  return { tell, print: printAbove, stop }
}

function repeatLine(print: (text: string) => void, tally: ProgressTally, statsMs: number | undefined): Line {
  const tick = (): void => print(`${renderProgress(tally.state(), WIDTH_WITHOUT_TERMINAL)}\n`)
  const timer = statsMs === undefined ? undefined : setInterval(tick, statsMs).unref()
  return { clear: () => undefined, stop: () => clearInterval(timer) }
}

/** Shows the state every 100 ms until stopped. ora takes 65 ms to load; the run does not wait for it. */
function showLine(stream: NodeJS.WriteStream, tally: ProgressTally): Line {
  let spinner: Ora | undefined
  let isStopped = false
  const refresh = (): void => {
    if (spinner !== undefined) spinner.text = renderProgress(tally.state(), Math.max(20, (stream.columns || 80) - 3))
  }
  const timer = setInterval(refresh, REFRESH_MS).unref()
  const stop = (): void => {
    isStopped = true
    clearInterval(timer)
    spinner?.stop()
  }
  import('ora').then(
    ({ default: ora }) => {
      if (isStopped) return
      spinner = ora({ stream, discardStdin: false, isEnabled: true })
      refresh()
      spinner.start()
    },
    // A failing progress line must not end a run.
    stop,
  )
  return { clear: () => void spinner?.clear(), stop }
}
