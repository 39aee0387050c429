/*
 * Reads a filter at a source by comparison: the events that the target lacks, and proof that these are all.
 *
 * Missing ids are fetched as they are found. A second comparison looks for ids that were not served: those no longer
 * listed have vanished (replaced, deleted, expired); those still listed leave the filter not drained. If the source may
 * have cut off its set, the unproven part is read in pages.
 */
import type { Filter } from '../../nostr/filter.ts'
import type { UnixSeconds } from '../../time.ts'
import { withWindow, type ComparedSet } from './compared-set.ts'
import { fetchByIds } from '../paging/fetch-by-ids.ts'
import { drain, type Drain, type DrainContext } from '../paging/drain.ts'
import { proveBottom } from '../paging/prove-bottom.ts'
import { reconcileFilter, type ComparedWindow } from './reconcile-filter.ts'
import type { ComparisonFailure, FilterComparison, FilterReconciled } from './reconcile-filter.ts'

/** The inputs of a read by comparison. `request`, `sink`, `capacity` and `limit` refer to the source. */
export type MissingContext = DrainContext & {
  readonly source: ComparedSet
  readonly target: ComparedSet
  readonly now: UnixSeconds
  /** Whether the filter is read in pages as well: then nothing below the oldest listed id need be looked for. */
  readonly isPaged?: boolean
  /** Whether the event already came from anywhere; if so, it is not fetched again. */
  readonly isKnown?: (id: string) => boolean
  /** Is told which missing ids are not fetched because they are known. */
  readonly onKnown?: (ids: readonly string[]) => void
  /** Is told which ids only the target has; possibly more than once. */
  readonly onExtra?: (ids: readonly string[]) => Promise<void>
  /** As in `reconcile`. Bytes of events do not count here; `request` may limit them. */
  readonly shouldStop?: (receivedBytes: number) => string | undefined
}

/**
 * The result of a read by comparison. `drain` counts the events received; `vanished` counts ids that were listed once
 * and never served.
 */
export type MissingRead = FilterComparison & { readonly type: 'read'; readonly drain: Drain; readonly vanished: number }

/** The comparison failed: read the filter in pages. Events received before that are still correct. */
export type MissingFailed = FilterComparison & ComparisonFailure & { readonly drain: Drain }

const MAX_UNSERVED = 10_000

/** Reads the matching events that the target lacks, and hands them to the sink. */
export async function fetchMissing(filter: Filter, context: MissingContext): Promise<MissingRead | MissingFailed> {
  const search = new Search(filter, context)
  const compared = await search.compare()
  if (compared.type === 'failed') return { ...compared, drain: search.total }
  const unserved = search.takeUnserved()
  const again = unserved.size === 0 ? undefined : await search.compare(unserved)
  if (again?.type === 'failed') return { ...again, drain: search.total }
  const listed = search.takeUnserved().size
  if (context.isPaged !== true) await search.readUnproven(compared.windows)
  const { roundTrips, listed: ids, missing, traffic } = compared
  const counts = { roundTrips, listed: ids, missing, traffic, vanished: unserved.size - listed }
  return { type: 'read', ...counts, drain: { ...search.total, reason: describe(listed) ?? search.total.reason } }
}

/** The state of a read of one filter at one source. */
class Search {
  readonly #filter: Filter
  readonly #context: MissingContext
  #unserved = new Set<string>()
  #total: Drain = { reason: null, pages: 0, rows: 0, bytes: 0, malformed: 0, foreign: 0 }

  constructor(filter: Filter, context: MissingContext) {
    this.#filter = filter
    this.#context = context
  }

  get total(): Drain {
    return this.#total
  }

  /** Compares, and fetches what is missing; limited to `wanted` if given. */
  compare(wanted?: ReadonlySet<string>): Promise<FilterReconciled> {
    const { source, target, now, onExtra, isPaged = false } = this.#context
    return reconcileFilter({
      ...{ source, target, now, filter: this.#filter, findsOldest: wanted === undefined && !isPaged },
      onMissing: (ids) => this.#fetch(wanted === undefined ? ids : ids.filter((id) => wanted.has(id))),
      ...(onExtra !== undefined && { onExtra }),
      shouldStop: (bytes) => this.#whyStop() ?? this.#context.shouldStop?.(bytes),
    })
  }

  /** The ids that were not served since the last call. */
  takeUnserved(): ReadonlySet<string> {
    const unserved = this.#unserved
    this.#unserved = new Set()
    return unserved
  }

  async readUnproven(windows: readonly ComparedWindow[]): Promise<void> {
    for (const { window, oldest = [] } of windows) {
      const unproven = await proveBottom(withWindow(this.#filter, window), oldest, this.#context)
      if (unproven !== undefined) this.#add(await drain(unproven, this.#context))
    }
  }

  async #fetch(ids: readonly string[]): Promise<void> {
    const { isKnown, onKnown } = this.#context
    const known = new Set(isKnown === undefined ? [] : ids.filter(isKnown))
    const unknown = ids.filter((id) => !known.has(id))
    if (known.size > 0) onKnown?.([...known])
    const { unserved, ...fetched } = await fetchByIds(unknown, this.#context)
    this.#add(fetched)
    for (const id of unserved) this.#unserved.add(id)
  }

  #whyStop(): string | undefined {
    const { size } = this.#unserved
    return this.#total.reason ?? (size > MAX_UNSERVED ? `more than ${describe(MAX_UNSERVED)}` : undefined)
  }

  #add(drained: Drain): void {
    const total = this.#total
    this.#total = {
      reason: total.reason ?? drained.reason,
      pages: total.pages + drained.pages,
      rows: total.rows + drained.rows,
      bytes: total.bytes + drained.bytes,
      malformed: total.malformed + drained.malformed,
      foreign: total.foreign + drained.foreign,
    }
  }
}

function describe(unserved: number): string | null {
  return unserved === 0 ? null : `${unserved} listed by NIP-77 but not served`
}
