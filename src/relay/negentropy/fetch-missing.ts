/*
 * Reading a filter at a source by comparison: the events that the target lacks, and the proof that these are all.
 *
 * Missing ids are fetched as they are found. What is not served is looked for in a second comparison: ids that are no
 * longer listed have vanished (replaced, deleted, expired), ids that still are make the filter not drained. What the
 * comparison cannot prove, because the source may have cut its set off, is read in pages.
 */
import type { Filter } from '../../nostr/filter.ts'
import type { UnixSeconds } from '../../time.ts'
import { withWindow, type ComparedSet } from './compared-set.ts'
import { fetchByIds } from '../paging/fetch-by-ids.ts'
import { drain, type Drain, type DrainContext } from '../paging/drain.ts'
import { proveBottom } from '../paging/prove-bottom.ts'
import { reconcileFilter, type ComparedWindow } from './reconcile-filter.ts'
import type { ComparisonFailure, FilterComparison, FilterReconciled } from './reconcile-filter.ts'

/** What the read of a filter by comparison needs. `request`, `sink`, `capacity` and `limit` are about the source. */
export type MissingContext = DrainContext & {
  readonly source: ComparedSet
  readonly target: ComparedSet
  readonly now: UnixSeconds
  /** Whether the event came already, from anywhere: it is not fetched again. */
  readonly isKnown?: (id: string) => boolean
  /** As in `reconcile`: beside the events, which `request` may bound. */
  readonly shouldStop?: (receivedBytes: number) => string | undefined
}

/**
 * A filter read by comparison. `drain` counts what came as events; `vanished` ids were listed once and never served.
 */
export type MissingRead = FilterComparison & { readonly type: 'read'; readonly drain: Drain; readonly vanished: number }

/** The comparison failed: the filter must be read in pages. What came until then is right. */
export type MissingFailed = FilterComparison & ComparisonFailure & { readonly drain: Drain }

const MAX_UNSERVED = 10_000

/** Reads what the target lacks of the filter and hands it to the sink. */
export async function fetchMissing(filter: Filter, context: MissingContext): Promise<MissingRead | MissingFailed> {
  const search = new Search(filter, context)
  const compared = await search.compare()
  if (compared.type === 'failed') return { ...compared, drain: search.total }
  const unserved = search.takeUnserved()
  const again = unserved.size === 0 ? undefined : await search.compare(unserved)
  if (again?.type === 'failed') return { ...again, drain: search.total }
  const listed = search.takeUnserved().size
  await search.readUnproven(compared.windows)
  const { roundTrips, listed: ids, missing, traffic } = compared
  const counts = { roundTrips, listed: ids, missing, traffic, vanished: unserved.size - listed }
  return { type: 'read', ...counts, drain: { ...search.total, reason: describe(listed) ?? search.total.reason } }
}

/** One filter at one source: what came of it so far. */
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

  /** Compares, and fetches what is missing: all of it, or what is in `wanted`. */
  compare(wanted?: ReadonlySet<string>): Promise<FilterReconciled> {
    const { source, target, now } = this.#context
    return reconcileFilter({
      ...{ source, target, now, filter: this.#filter, findsOldest: wanted === undefined },
      onMissing: (ids) => this.#fetch(wanted === undefined ? ids : ids.filter((id) => wanted.has(id))),
      shouldStop: (bytes) => this.#whyStop() ?? this.#context.shouldStop?.(bytes),
    })
  }

  /** The ids that were not served since this was asked last. */
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
    const unknown = ids.filter((id) => this.#context.isKnown?.(id) !== true)
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
