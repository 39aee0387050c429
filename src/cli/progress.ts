import type { Ora } from 'ora'
import type { Progress } from '../run/world.ts'
import type { LayerName } from '../layer-name.ts'
import { foreign } from './render/foreign.ts'
import { formatCount, formatDuration, formatPlural } from './render/format-quantity.ts'
import { layerTitle } from './render/layer-title.ts'
import { ellipsize, visibleWidth } from './render/text-width.ts'

/** The content of the progress line. */
export type ProgressState = {
  readonly layer: LayerName
  /** Events of this layer so far, by source. */
  readonly perSource: readonly { readonly url: string; readonly events: number }[]
  /** Events sent so far and in total, and the remaining time at the current pace; absent before sending. */
  readonly sending?: { readonly sent: number; readonly total: number; readonly leftMs: number }
}

/** The stream for the progress, and the clock for its estimates (milliseconds). */
export type ProgressOptions = {
  readonly stream: NodeJS.WriteStream
  readonly isTTY: boolean
  readonly quiet: boolean
  /** @default Date.now */
  readonly nowMs?: () => number
}

const REFRESH_MS = 100

/** Shows progress as one line that is rewritten, only on a terminal. `stop` clears the line and ends the output. */
export function createProgress(options: ProgressOptions): Progress & { stop(): void } {
  const nothing = (): void => undefined
  if (options.quiet) return { fetched: nothing, sending: nothing, longSending: nothing, stop: nothing }
  const print = (line: string): void => void options.stream.write(`${line}\n`)
  if (!options.isTTY) {
    return { fetched: nothing, sending: nothing, longSending: (plan) => print(renderForecast(plan)), stop: nothing }
  }
  const tally = createTally(options.nowMs ?? Date.now)
  const line = showProgress(options.stream, tally.state)
  const longSending: Progress['longSending'] = (plan) => {
    line.clear()
    print(renderForecast(plan))
  }
  return { fetched: tally.fetched, sending: tally.sending, longSending, stop: line.stop }
}

/** Announces a long wait: how many events, how fast, how long. */
function renderForecast({ events, rate, durationMs }: Parameters<Progress['longSending']>[0]): string {
  return `sending ${formatPlural(events, 'event')} at ${rate}: about ${formatDuration(durationMs)}`
}

/** Renders the progress line, cut to `width` columns: sources by name, or only their sum if the names do not fit. */
export function renderProgress({ layer, perSource, sending }: ProgressState, width: number): string {
  const named = perSource.map(({ url, events }, index) => {
    return `${foreign(url).replace(/^wss?:\/\//, '')} ${index === 0 ? formatPlural(events, 'event') : formatCount(events)}`
  })
  const sum = perSource.reduce((total, { events }) => total + events, 0)
  const summed = `${formatPlural(perSource.length, 'source')} ${formatPlural(sum, 'event')}`
  const rest = sending === undefined ? [] : sendingParts(sending)
  const line = `${layerTitle(layer)}  ${[...named, ...rest].join(' · ')}`
  return visibleWidth(line) <= width ? line : ellipsize(`${layerTitle(layer)}  ${[summed, ...rest].join(' · ')}`, width)
}

function sendingParts({ sent, total, leftMs }: NonNullable<ProgressState['sending']>): string[] {
  const count = `sent ${formatCount(sent)}/${formatCount(total)}`
  return leftMs < 2000 ? [count] : [count, `about ${formatDuration(leftMs)} left`]
}

type Tally = Omit<Progress, 'longSending'> & { state(): ProgressState }

/** Adds up the progress of the run. A new layer resets the counts. */
function createTally(nowMs: () => number): Tally {
  let layer: LayerName = 'announcements'
  let events = new Map<string, number>()
  let sending: { startMs: number; first: number; sent: number; total: number } | undefined
  return {
    fetched(current, source, count) {
      if (current !== layer) events = new Map()
      layer = current
      events.set(source, (events.get(source) ?? 0) + count)
    },
    sending(sent, total) {
      sending = {
        startMs: sending?.startMs ?? nowMs(),
        first: sending?.first ?? sent,
        sent,
        total: Math.max(sent, total),
      }
    },
    state() {
      const perSource = [...events].map(([url, count]) => ({ url, events: count }))
      return sending === undefined
        ? { layer, perSource }
        : { layer, perSource, sending: withEstimate(sending, nowMs()) }
    },
  }
}

function withEstimate(
  { startMs, first, sent, total }: { startMs: number; first: number; sent: number; total: number },
  now: number,
): NonNullable<ProgressState['sending']> {
  const leftMs = sent === first ? 0 : ((now - startMs) / (sent - first)) * (total - sent)
  return { sent, total, leftMs }
}

/** Shows the state every 100 ms until stopped. ora takes 65 ms to load; the run does not wait for it. */
function showProgress(stream: NodeJS.WriteStream, state: () => ProgressState): { clear(): void; stop(): void } {
  let spinner: Ora | undefined
  let isStopped = false
  const refresh = (): void => {
    if (spinner !== undefined) spinner.text = renderProgress(state(), Math.max(20, (stream.columns || 80) - 3))
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
