import { decideRead, type PlannedAnchor, type PlannedRequest, type SincePolicy } from '../checkpoint/plan.ts'
import type { LayerName } from '../layer-name.ts'
import type { FilterComparison } from '../relay/negentropy/reconcile-filter.ts'
import type { Drain } from '../relay/paging/drain.ts'
import type { ReadMode, ReconcileReport, SourceLayerReport, SourceReport } from '../report/report.ts'
import type { UnixSeconds } from '../time.ts'

type LayerLog = {
  since: UnixSeconds | null
  readonly anchors: Record<ReadMode, number>
  filters: number
  pages: number
  events: number
  bytes: number
  readonly reasons: Map<string, number>
  /** Filters that were read in full by paging. If there are any, the layer does not count as reconciled. */
  pagedInFull: number
  reconcile: ReconcileReport | null
}

/** How one request was read: in pages, or (`comparison`) by NIP-77. */
export type Fetched = { readonly drain: Drain; readonly comparison: FilterComparison | undefined }

/** How one source was read. */
export class SourceLog {
  readonly #url: string
  /** Whether announcements led to the source: the operator did not name it. */
  readonly isDiscovered: boolean
  readonly #layers: Map<LayerName, LayerLog>
  readonly #notes = new Set<string>()
  #failure: string | undefined
  #lastDrained: UnixSeconds | undefined
  #oldestFull: UnixSeconds | null | undefined
  #isQuick = false
  #malformed = 0
  #foreign = 0

  constructor(url: string, layers: readonly LayerName[], { isDiscovered = false } = {}) {
    this.#url = url
    this.isDiscovered = isDiscovered
    this.#layers = new Map(layers.map((layer) => [layer, emptyLog()]))
  }

  /** Notes the anchors planned in a layer and how each is read. */
  anchors(layer: LayerName, anchors: readonly PlannedAnchor[], policy: SincePolicy): void {
    const log = this.#layers.get(layer)
    if (log === undefined) return
    for (const anchor of anchors) {
      const { mode, since } = decideRead(anchor, policy)
      log.anchors[mode] += 1
      this.#isQuick ||= !policy.windowOnly && decideRead(anchor, { ...policy, full: false }).mode === 'since'
      if (since !== undefined) log.since = Math.min(log.since ?? since, since)
      const drainedAt = anchor.checkpoint?.drainedAt
      if (drainedAt !== undefined) this.#lastDrained = Math.min(this.#lastDrained ?? drainedAt, drainedAt)
      this.#oldestFull = older(
        this.#oldestFull,
        mode === 'full' ? policy.startedAt : (anchor.checkpoint?.fullAt ?? null),
      )
    }
  }

  /** Notes how one request went. */
  request(request: PlannedRequest, fetched: Fetched): void {
    const log = this.#layers.get(request.layer)
    if (log !== undefined) log.filters += 1
    this.repetition(request, fetched)
  }

  /** Notes how a repeated request went: it does not count as another filter. */
  repetition({ layer, mode }: PlannedRequest, { drain, comparison }: Fetched): void {
    const log = this.#layers.get(layer)
    if (log === undefined) return
    if (comparison !== undefined) log.reconcile = addComparison(log.reconcile, comparison)
    else if (mode === 'full') log.pagedInFull += 1
    log.pages += drain.pages
    log.events += drain.rows
    log.bytes += drain.bytes + (comparison?.traffic.source.received ?? 0)
    this.#malformed += drain.malformed
    this.#foreign += drain.foreign
    if (drain.reason !== null) this.undrained(layer, drain.reason)
  }

  /** Notes that a request of a layer was not read to its end, even if it seemed to be. */
  undrained(layer: LayerName, reason: string): void {
    const reasons = this.#layers.get(layer)?.reasons
    reasons?.set(reason, (reasons.get(reason) ?? 0) + 1)
  }

  /** Notes that the source as a whole could not be read to its end. The first reason stays. */
  fail(reason: string): void {
    this.#failure ??= reason
  }

  note(sentence: string): void {
    this.#notes.add(sentence)
  }

  /** Whether every filter was drained and nothing else failed. */
  isComplete(): boolean {
    return this.#failure === undefined && [...this.#layers.values()].every(({ reasons }) => reasons.size === 0)
  }

  /** Whether the source showed anything to compare: all that it has, or some rows before it failed. */
  hasSaidSomething(): boolean {
    return (
      this.isComplete() || [...this.#layers.values()].some(({ events, reconcile }) => events > 0 || reconcile !== null)
    )
  }

  /** Whether a run without `--full` would read any anchor only since its checkpoint. */
  isQuick(): boolean {
    return this.#isQuick
  }

  /** Whether every filter of the layer was drained, and the source did not fail. */
  hasRead(layer: LayerName): boolean {
    return this.#failure === undefined && (this.#layers.get(layer)?.reasons.size ?? 0) === 0
  }

  /** Time of the oldest full pass over any anchor read here; null when some anchor never had one. */
  oldestFull(): UnixSeconds | null {
    return this.#oldestFull ?? null
  }

  /** Counts of rows that are no events, and of events that were not asked for. */
  oddities(): { malformed: number; foreign: number } {
    return { malformed: this.#malformed, foreign: this.#foreign }
  }

  /** Reasons why something was not read to its end, with the number of filters. */
  reasons(): { layer: LayerName | null; reason: string; filters: number }[] {
    const layers = [...this.#layers].flatMap(([layer, { reasons }]) =>
      [...reasons].map(([reason, filters]) => ({ layer, reason, filters })),
    )
    return this.#failure === undefined ? layers : [{ layer: null, reason: this.#failure, filters: 0 }, ...layers]
  }

  report(): SourceReport {
    const layers = [...this.#layers].map(([layer, log]) => this.#layerReport(layer, log))
    const lastDrained = this.#lastDrained ?? null
    const complete = this.isComplete()
    const reason = this.#failure ?? null
    const notes = [...this.#notes]
    return { url: this.#url, discovered: this.isDiscovered, complete, reason, lastDrained, notes, layers }
  }

  #layerReport(layer: LayerName, { reasons, pagedInFull, ...log }: LayerLog): SourceLayerReport {
    const [first] = reasons
    const reason = first === undefined ? null : describeReason(first, reasons.size)
    const isReconciled = log.reconcile !== null && pagedInFull === 0
    const { full, since } = log.anchors
    const anchors = isReconciled ? { full: 0, since, reconcile: full } : log.anchors
    const mode: ReadMode = since > 0 ? 'since' : isReconciled ? 'reconcile' : 'full'
    return { layer, mode, ...log, anchors, end: this.#endOf(log.filters, reason), reason }
  }

  /** A layer that was never asked has no end, and the ends of a source that failed prove nothing. */
  #endOf(filters: number, reason: string | null): SourceLayerReport['end'] {
    if (filters === 0) return 'not asked'
    return reason === null && this.#failure === undefined ? 'drained' : 'incomplete'
  }
}

function describeReason([reason, filters]: readonly [string, number], kinds: number): string {
  const times = filters > 1 ? ` (${filters} filters)` : ''
  return kinds > 1 ? `${reason}${times}, and ${kinds - 1} other reason${kinds > 2 ? 's' : ''}` : `${reason}${times}`
}

function addComparison(before: ReconcileReport | null, { roundTrips, listed, missing, traffic }: FilterComparison) {
  const { source, target } = traffic
  return {
    roundTrips: (before?.roundTrips ?? 0) + roundTrips,
    listed: (before?.listed ?? 0) + listed,
    missing: (before?.missing ?? 0) + missing,
    sentToSource: (before?.sentToSource ?? 0) + source.sent,
    receivedFromSource: (before?.receivedFromSource ?? 0) + source.received,
    sentToTarget: (before?.sentToTarget ?? 0) + target.sent,
    receivedFromTarget: (before?.receivedFromTarget ?? 0) + target.received,
  }
}

/** The older of two times, where null (never) is older than any. */
function older(a: UnixSeconds | null | undefined, b: UnixSeconds | null): UnixSeconds | null {
  if (a === undefined) return b
  return a === null || b === null ? null : Math.min(a, b)
}

function emptyLog(): LayerLog {
  return {
    since: null,
    anchors: { full: 0, since: 0, reconcile: 0 },
    filters: 0,
    pages: 0,
    events: 0,
    bytes: 0,
    reasons: new Map(),
    pagedInFull: 0,
    reconcile: null,
  }
}
