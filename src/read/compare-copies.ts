import type { PlannedRequest } from '../checkpoint/plan.ts'
import { LostRelayError } from '../errors.ts'
import type { Filter } from '../nostr/filter.ts'
import type { findClaimed } from '../relay/find-claimed.ts'
import { createLocalSet, createRelaySet } from '../relay/negentropy/compared-set.ts'
import { fetchMissing } from '../relay/negentropy/fetch-missing.ts'
import type { IdSet } from '../relay/negentropy/id-set.ts'
import { addDrains, drain, type DrainContext } from '../relay/paging/drain.ts'
import { overBudget, withinBudget } from '../run/budget.ts'
import type { CopyEnd, OpenEnd } from '../run/copy-ends.ts'
import type { Fetched } from '../run/source-log.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import { noteContradiction } from './compare-request.ts'
import { isBorneOut, MANY, OF_REQUEST, sampleIds, servesListed } from './claims.ts'

/** How one filter is compared. `reading` takes what the end has and the target lacks. */
type Comparing = { readonly reading: DrainContext; readonly atTarget: IdSet; readonly run: ScopedRun }

type ReadableEnd = CopyEnd & { readonly open: OpenEnd }

/** An end that lacks more than this, or has as much that the target lacks and others have, is read in pages. */
const MAX_DIFFERING = 50_000
const PIECE = 1_000

/**
 * Compares what an end has with what the target has shown, by NIP-77, and notes what both have; `undefined` when the end
 * must be read in pages. Where the comparison is not borne out it was read in pages already.
 */
export async function compareCopies(
  end: ReadableEnd,
  request: PlannedRequest,
  comparing: Comparing,
): Promise<Fetched | undefined> {
  const { match, accepts, scan, filter } = request
  const { reading, atTarget, run } = comparing
  // What came for a wider filter than was meant is not among the ids of the target.
  const isExact = match === undefined && accepts === undefined && scan === undefined
  if (!run.options.reconcile || !isExact || atTarget.size === 0) return undefined
  const { peer, budget } = end.open
  const atEnd = createRelaySet(peer, filter, reading.aftermath)
  if (atEnd === undefined) return undefined
  const { copies } = run.world.state
  const lacking = new Set<string>()
  const known: string[] = []
  const read = await fetchMissing(filter, {
    ...reading,
    ...{ source: atEnd, target: createLocalSet(atTarget), now: run.startedAt },
    isKnown: (id) => copies.has(id),
    onKnown: (ids) => void known.push(...ids),
    onExtra: (ids) => {
      for (const id of ids) lacking.add(id)
      return Promise.resolve()
    },
    shouldStop: (bytes) => {
      if (bytes > budget.bytesLeft) return overBudget(budget)
      return Math.max(lacking.size, known.length) > MAX_DIFFERING ? 'it differs too much' : undefined
    },
  })
  budget.bytesLeft -= read.traffic.source.received
  const isWhole = read.type === 'read' && read.drain.reason === null
  if (isWhole && (await isTested(end, filter, { ...comparing, lacking, known }))) {
    holdEqual(end, { ...comparing, lacking, known })
    return { drain: read.drain, comparison: read }
  }
  if (isWhole) noteContradiction(end.url, run)
  return { drain: addDrains(read.drain, await drain(filter, reading)), comparison: undefined }
}

/** `lacking`: what of the target the end does not list. `known`: what it lists, and another end than the target has. */
type Compared = Comparing & { readonly lacking: ReadonlySet<string>; readonly known: readonly string[] }

/** Whether the end serves a sample of what it listed, and has listed a sample of what it serves. */
async function isTested(end: ReadableEnd, filter: Filter, compared: Compared): Promise<boolean> {
  const { reading, run } = compared
  return (
    (await servesClaimed(end, compared)) &&
    isBorneOut(filter, { source: end.open, reading }, run, {
      isMissing: () => false,
      sample: { ...OF_REQUEST, findHeld: (_, stamps) => Promise.resolve(findNoted(end, stamps, compared)) },
    })
  )
}

async function servesClaimed(
  { open }: ReadableEnd,
  { reading, atTarget, lacking, known, run }: Compared,
): Promise<boolean> {
  const { peer, budget } = open
  const equal = sampleIds(atTarget, run.startedAt, MANY).filter((id) => !lacking.has(id))
  const others = sampleIds({ size: known.length, id: (place) => known[place] ?? '' }, run.startedAt, MANY)
  const claimed = [...equal, ...others]
  try {
    return await servesListed({ ...peer, endpoint: withinBudget(peer.endpoint, budget, reading.aftermath) }, claimed)
  } catch (error) {
    if (!(error instanceof LostRelayError)) throw error
    return false
  }
}

type Stamps = Parameters<typeof findClaimed>[1]

/** Those of the events that the end is taken to have. */
function findNoted({ number }: CopyEnd, stamps: Stamps, { atTarget, lacking, known, run }: Compared): Set<string> {
  const { copies } = run.world.state
  const isKnown = new Set(known)
  const noted = stamps.filter(
    ({ id, createdAt }) =>
      copies.isAt(id, number) || isKnown.has(id) || (isAmong(atTarget, id, createdAt) && !lacking.has(id)),
  )
  return new Set(noted.map(({ id }) => id))
}

function isAmong(ids: IdSet, id: string, createdAt: number): boolean {
  const place = ids.lowerBound({ timestamp: createdAt, id })
  return place < ids.size && ids.id(place) === id
}

/** Notes that the end has all that the target has shown but what it was found to lack, and what it lists beside. */
function holdEqual({ number }: CopyEnd, { atTarget, lacking, known, run }: Compared): void {
  const { state } = run.world
  state.transaction(() => state.copies.hold(known, number))
  for (let first = 0; first < atTarget.size; first += PIECE) {
    const places = Array.from({ length: Math.min(PIECE, atTarget.size - first) }, (_, index) => first + index)
    const equal = places.map((place) => atTarget.id(place)).filter((id) => !lacking.has(id))
    state.transaction(() => state.copies.hold(equal, number))
  }
}
