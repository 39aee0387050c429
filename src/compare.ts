import type { Knowledge } from './knowledge.ts'
import type { NostrEvent } from './nostr/event.ts'
import type { CheckReport, Difference, HistogramBin, LayerName } from './report.ts'
import type { TargetState } from './store/target-state.ts'

/** What a comparison needs. `onMissing` takes each missing event, one at a time. */
export type CompareContext = {
  readonly state: TargetState
  readonly knowledge: Knowledge
  readonly held: HeldTally
  readonly listIds: boolean
  readonly onMissing: ((event: NostrEvent) => Promise<void>) | undefined
}

const PIECE = 250
const BIN_SECONDS = [3_600, 6 * 3_600, 86_400, 7 * 86_400, 30 * 86_400, 365 * 86_400]
const MAX_BINS = 40

/** How many events of each layer, kind and repository the target was seen to hold. */
export class HeldTally {
  readonly #counts = new Map<string, number>()

  /** Counts one event. */
  add(layer: LayerName, kind: number, repository: string | undefined): void {
    const key = keyOf(layer, kind, repository)
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
  }

  /** The counts by `keyOf`. */
  counts(): ReadonlyMap<string, number> {
    return this.#counts
  }
}

/** What the target lacks, by layer, kind and repository, and when it was signed. Pending events are not missing. */
export async function compare(context: CompareContext): Promise<CheckReport> {
  const missing = new Map<string, number>()
  const times = new Map<number, number>()
  const ids: string[] = []
  for (const { layer, event } of missingEvents(context.state)) {
    const key = keyOf(layer, event.kind, context.knowledge.repositoryOf(event))
    missing.set(key, (missing.get(key) ?? 0) + 1)
    const hour = Math.floor(event.created_at / 3_600) * 3_600
    times.set(hour, (times.get(hour) ?? 0) + 1)
    if (context.listIds) ids.push(event.id)
    await context.onMissing?.(event)
  }
  return {
    missing: [...missing.values()].reduce((total, count) => total + count, 0),
    differences: tabulate(missing, context.held.counts()),
    histogram: histogramOf(times),
    ids: context.listIds ? ids : null,
    both: null,
  }
}

/** Selected events that the target does not serve, and parked ones unless it said that it holds them back. */
function* missingEvents(state: TargetState): Generator<{ layer: LayerName; event: NostrEvent }> {
  for (const piece of state.spool.inState('ready', PIECE)) yield* piece
  for (const piece of state.spool.inState('parked', PIECE)) yield* piece.filter(({ outcome }) => outcome !== 'pending')
}

function tabulate(missing: ReadonlyMap<string, number>, held: ReadonlyMap<string, number>): Difference[] {
  const keys = [...new Set([...missing.keys(), ...held.keys()])].sort()
  return keys.map((key) => {
    const [layer, kind, repository] = JSON.parse(key) as [LayerName, number, string | null]
    const [lacks, has] = [missing.get(key) ?? 0, held.get(key) ?? 0]
    return { layer, kind, repository, sourceHas: lacks + has, targetHas: has, missing: lacks }
  })
}

/** Bins of one width from the first to the last missing event, at most 40, empty ones between them included. */
function histogramOf(hours: ReadonlyMap<number, number>): HistogramBin[] {
  if (hours.size === 0) return []
  const [first, last] = [Math.min(...hours.keys()), Math.max(...hours.keys())]
  const width = BIN_SECONDS.find((seconds) => (last - first) / seconds < MAX_BINS) ?? 10 * 365 * 86_400
  const start = Math.floor(first / width) * width
  const bins = Array.from({ length: Math.floor((last - start) / width) + 1 }, (_, index) => ({
    from: start + index * width,
    to: start + (index + 1) * width - 1,
    missing: 0,
  }))
  for (const [hour, count] of hours) {
    const bin = bins[Math.floor((hour - start) / width)]
    if (bin !== undefined) bin.missing += count
  }
  return bins
}

function keyOf(layer: LayerName, kind: number, repository: string | undefined): string {
  return JSON.stringify([layer, kind, repository ?? null])
}
