/*
 * Finds what one relay has and another lacks for a filter, without reading what both have.
 *
 * A relay may limit how many events it compares at once (NEG-ERR with its cap). The window of time is then halved on
 * both sides until it fits. The newest window has no end, so events dated in the future are compared as well. Any other
 * failure is returned unchanged: the caller then reads pages, and ids found so far are still correct.
 */
import type { Filter } from '../../nostr/filter.ts'
import type { UnixSeconds } from '../../time.ts'
import { reconcile, type Comparison, type ReconcileOptions } from './bridge.ts'
import type { ComparedSet } from './compared-set.ts'
import { findOldest } from './find-oldest.ts'
import type { Window } from './local-responder.ts'
import type { Responder, ResponderFailure, Traffic } from './responder.ts'
import type { SideName } from './settle-answer.ts'
import { splitWindow } from './split-window.ts'

export type ReconcileFilterOptions = {
  readonly source: ComparedSet
  readonly target: ComparedSet
  /** Its `since` and `until` bound the comparison; the sets hold what matches the rest. */
  readonly filter: Filter
  readonly now: UnixSeconds
  /** As in `reconcile`. */
  readonly onMissing: (ids: readonly string[]) => Promise<void>
  /** As in `reconcile`. */
  readonly onExtra?: (ids: readonly string[]) => Promise<void>
  /** As in `reconcile`. */
  readonly isThrifty?: boolean
  /** Whether to find the oldest ids of the source, for `proveBottom`. @default false */
  readonly findsOldest?: boolean
  /** Per window. @default 20_000 */
  readonly maxRoundTrips?: number
  /** As in `reconcile`; the bytes are those of all windows. */
  readonly shouldStop?: ReconcileOptions['shouldStop']
}

/** The cost of a comparison: round trips (both sides are asked at once), ids listed, ids missing, bytes. */
export type FilterComparison = Comparison & { readonly traffic: Readonly<Record<SideName, Readonly<Traffic>>> }

/** A window compared in one piece, and the oldest ids that the source listed in it (`undefined` when not requested). */
export type ComparedWindow = { readonly window: Window; readonly oldest: readonly string[] | undefined }

/** Why a filter could not be compared, and which side failed. */
export type ComparisonFailure = ResponderFailure & { readonly side: SideName }

export type FilterReconciled = FilterComparison &
  ({ readonly type: 'done'; readonly windows: readonly ComparedWindow[] } | ComparisonFailure)

const MAX_WINDOWS = 4_096

type Tally = { roundTrips: number; listed: number; missing: number; traffic: Record<SideName, Traffic> }

/** Compares the matching events of both sides in as many windows of time as necessary. */
export async function reconcileFilter(options: ReconcileFilterOptions): Promise<FilterReconciled> {
  const { since, until } = options.filter
  const tally: Tally = { roundTrips: 0, listed: 0, missing: 0, traffic: { source: noTraffic(), target: noTraffic() } }
  const windows: ComparedWindow[] = []
  const open: Window[] = [{ since, until }]
  for (let window = open.pop(), count = 1; window !== undefined; window = open.pop(), count += 1) {
    const compared = count > MAX_WINDOWS ? tooManyWindows() : await reconcileWindow(window, options, tally)
    if (compared.type === 'done') {
      windows.push({ window, oldest: compared.oldest })
      continue
    }
    const halves = compared.kind === 'too-many' ? splitWindow(window, options.now) : undefined
    if (halves === undefined) return { ...tally, ...explain(compared, window) }
    open.push(...halves.toReversed())
  }
  return { ...tally, type: 'done', windows }
}

type WindowDone = { readonly type: 'done'; readonly oldest: readonly string[] | undefined }

async function reconcileWindow(
  window: Window,
  options: ReconcileFilterOptions,
  tally: Tally,
): Promise<WindowDone | ComparisonFailure> {
  const source = options.source.open(window)
  const target = options.target.open(window)
  try {
    const compared = await compareWindow(source, target, options, tally)
    if (compared.type === 'failed' && compared.kind === 'wrong') options[compared.side].distrust(compared.reason)
    return compared
  } finally {
    close(source, tally.traffic.source)
    close(target, tally.traffic.target)
  }
}

async function compareWindow(
  source: Responder,
  target: Responder,
  options: ReconcileFilterOptions,
  tally: Tally,
): Promise<WindowDone | ComparisonFailure> {
  const { received } = tally.traffic.source
  const passed = bytesOf(tally.traffic.source) + bytesOf(tally.traffic.target)
  const shouldStop = (bytes: number, all: number): string | undefined =>
    options.shouldStop?.(received + bytes, passed + all)
  const reconciled = await reconcile({ ...options, source, target, shouldStop })
  tally.roundTrips += reconciled.roundTrips
  tally.listed += reconciled.listed
  tally.missing += reconciled.missing
  if (reconciled.type === 'failed') return reconciled
  if (options.findsOldest !== true) return { type: 'done', oldest: undefined }
  const oldest = await findOldest(source, reconciled.opening)
  tally.roundTrips += oldest.type === 'found' ? oldest.roundTrips : 0
  return oldest.type === 'found' ? { type: 'done', oldest: oldest.ids } : { ...oldest, side: 'source' }
}

function close(responder: Responder, traffic: Traffic): void {
  responder.close()
  traffic.sent += responder.traffic.sent
  traffic.received += responder.traffic.received
}

function explain(failure: ComparisonFailure, { since, until }: Window): ComparisonFailure {
  if (failure.kind !== 'too-many' || since === undefined || since !== until) return failure
  return { ...failure, reason: `${failure.reason} (in second ${since} alone)` }
}

function tooManyWindows(): ComparisonFailure {
  return { type: 'failed', kind: 'endless', side: 'source', reason: `no end after ${MAX_WINDOWS} windows of time` }
}

function bytesOf({ sent, received }: Traffic): number {
  return sent + received
}

function noTraffic(): Traffic {
  return { sent: 0, received: 0 }
}
