/*
 * A comparison by NIP-77 is two claims: the source listed all that it has, and the target only what it serves. Equal
 * ranges are never listed, so a sample tests them: the newest page of the source and two pages further down, at random.
 * If the claims are true, the target holds every event of the sample that did not come as missing. It is asked for them
 * by id; after a comparison of wholes, for some by what it serves and for the others by what it lists. Each run draws
 * other events.
 */
import { isExpired, parseEvent, type NostrEvent } from '../nostr/event.ts'
import { createMatcher, type Filter } from '../nostr/filter.ts'
import { isEphemeral } from '../nostr/kinds.ts'
import { keepValid } from '../nostr/verifier.ts'
import { chanceOf, drawPlaces } from '../relay/draw-places.ts'
import { findClaimed } from '../relay/find-claimed.ts'
import { findServed } from '../relay/holdings.ts'
import { noteProbed } from '../relay/paging/capacity.ts'
import { drain, type DrainContext } from '../relay/paging/drain.ts'
import type { Peer } from '../relay/peer.ts'
import { withinBudget, type Budget } from '../run/budget.ts'
import type { Run } from '../run/run.ts'
import type { UnixSeconds } from '../time.ts'

/** The part of a run that testing a claim needs. */
type ClaimingRun = Pick<Run, 'target' | 'world' | 'startedAt'>

/** A sample of what a source serves: a page of the newest events and some further down. */
export type Sample = {
  readonly newest: number
  readonly furtherDown: number
  /** How far down the others are, in time spans of the newest page, and how many times as far at most. */
  readonly steps: readonly { readonly least: number; readonly times: number }[]
  /** Which of them the target holds. */
  readonly findHeld: typeof findClaimed
  /** Whether a source that shows nothing is not believed: it may answer narrow questions only. */
  readonly mustShow: boolean
}

/** A sample of what one filter brings. */
export const OF_REQUEST: Sample = {
  newest: 20,
  furtherDown: 10,
  steps: [
    { least: 2, times: 3 },
    { least: 16, times: 3 },
  ],
  findHeld: (target, events) => findServed(target, events.map(idOf)),
  mustShow: false,
}
/** A sample of everything. */
export const OF_WHOLE: Sample = {
  ...OF_REQUEST,
  steps: [
    { least: 2, times: 3 },
    { least: 16, times: 16 },
  ],
  mustShow: true,
}
/** A sample of everything, where an earlier one was borne out and witnesses stood: the target may list most of it. */
export const OF_WHOLE_AGAIN: Sample = { ...OF_WHOLE, findHeld: findClaimed }
/** Of a list no longer than this all ids are tried. */
const SHORT = 30
const FEW = { newest: 3, others: 3 }
/** For a list with which nothing else is compared. */
export const MANY = { newest: 20, others: 10 }
/** Events younger than this may have arrived between the comparison and the question. */
const RECENT_SECONDS = 900

/** How a comparison is tested. By default events that were seen are missing. */
type Bearing = {
  readonly isMissing?: (id: string) => boolean
  readonly onMissing?: (events: readonly NostrEvent[]) => Promise<void>
  readonly sample?: Sample
}

/** Ids ordered by time, the oldest first. */
type IdList = { readonly size: number; readonly id: (position: number) => string }

/** A source, and how the filter is read there. */
type Claimed = { readonly source: Claiming; readonly reading: DrainContext }
type Claiming = { readonly peer: Peer; readonly budget: Budget }

/**
 * Whether a few pages of what the source serves bear out a finished comparison: all events in them but those that
 * `isMissing` must be held by the target. Where young ones are not, all young ones are read: they came in the meantime,
 * or the source lists its newest late. Events that are missing go to `onMissing`. False also when the source did not
 * answer or, after a comparison of wholes, shows nothing. Throws LostRelayError when the target stops answering.
 */
export async function isBorneOut(
  filter: Filter,
  { source, reading }: Claimed,
  run: ClaimingRun,
  {
    isMissing = (id) => run.world.state.run.isSeen(id),
    onMissing = async () => undefined,
    sample = OF_REQUEST,
  }: Bearing = {},
): Promise<boolean> {
  const { target, world, startedAt: now } = run
  const rows = await sampleRows(filter, { reading: sampling(source, reading), sample, now })
  if (rows === undefined || (sample.mustShow && rows.length === 0)) return false
  await onMissing(rows.filter(({ id }) => isMissing(id)))
  const claimed = rows.filter(({ id }) => !isMissing(id)).filter((event) => isAsked(event, now))
  const held = await sample.findHeld(target, claimed.map(stampOf), now)
  const unheld = await keepValid(
    claimed.filter(({ id }) => !held.has(id)),
    world.verifier,
  )
  const since = now - RECENT_SECONDS
  if (unheld.length === 0) return true
  return unheld.every((event) => event.created_at >= since) && (await isReadSince(since, filter, reading))
}

async function isReadSince(since: UnixSeconds, filter: Filter, reading: DrainContext): Promise<boolean> {
  const { reason } = await drain({ ...filter, since: Math.max(since, filter.since ?? 0) }, reading)
  return reason === null
}

/**
 * A reading for samples. A sample need not be whole, so rows that come after its EOSE take nothing back; the reading
 * that it is taken for has pages of its own.
 */
function sampling({ peer, budget }: Claiming, reading: DrainContext): DrainContext {
  const { request } = withinBudget(peer.endpoint, budget)
  return { ...reading, request: (filter) => request(filter) }
}

/** Whether a target serves all of these ids, which it listed. Throws LostRelayError. */
export async function servesListed(target: Peer, sample: readonly string[]): Promise<boolean> {
  const served = await findServed(target, sample)
  return sample.every((id) => served.has(id))
}

/** Returns all ids of a short list; of a longer one the newest, and some spread over the rest: others in each run. */
export function sampleIds(list: IdList, now: UnixSeconds, { newest, others } = FEW): string[] {
  const { size } = list
  const older = size <= SHORT ? 0 : size - newest
  const places = Array.from({ length: size - older }, (_, index) => older + index)
  return [...places, ...drawPlaces(older, others, now)].map((place) => list.id(place))
}

type Sampling = { readonly reading: DrainContext; readonly sample: Sample; readonly now: UnixSeconds }

/** Returns some rows from the top and from further down; `undefined` when a question was not answered to its end. */
async function sampleRows(filter: Filter, { reading, sample, now }: Sampling): Promise<NostrEvent[] | undefined> {
  const matches = createMatcher(filter)
  let isAnswered = true
  const ask = async (asked: Filter): Promise<NostrEvent[]> => {
    const { rows, end } = await reading.request(asked)
    isAnswered &&= end.type === 'eose'
    const events = rows.flatMap((row) => parseEvent(row) ?? []).filter((event) => matches(event))
    noteProbed(
      reading.capacity,
      events.map(({ id, created_at: second }) => ({ id, second })),
    )
    return events
  }
  const newest = await ask({ ...filter, limit: sample.newest })
  const isPart = newest.length >= sample.newest
  const places = isPart ? placesBelow(newest, { sample, now }).filter((second) => second > (filter.since ?? 0)) : []
  const below = await Promise.all(places.map((until) => ask({ ...filter, until, limit: sample.furtherDown })))
  return isAnswered ? [...newest, ...below.flat()] : undefined
}

/** Picks seconds below a page. Its ids and the run decide how far, so nobody can foretell them. */
function placesBelow(page: readonly NostrEvent[], { sample, now }: Omit<Sampling, 'reading'>): UnixSeconds[] {
  const seconds = page.map((event) => event.created_at)
  const [newest, oldest] = [Math.max(...seconds), Math.min(...seconds)]
  const chance = chanceOf(page.reduce((sum, { id }) => sum + Number.parseInt(id.slice(-8), 16), now))
  const span = newest - oldest + 1
  return sample.steps.map(({ least, times }) => oldest - Math.round(span * least * times ** chance))
}

function idOf({ id }: { readonly id: string }): string {
  return id
}

function stampOf({ id, created_at: createdAt }: NostrEvent): { id: string; createdAt: UnixSeconds } {
  return { id, createdAt }
}

function isAsked(event: NostrEvent, now: UnixSeconds): boolean {
  return !isEphemeral(event.kind) && !isExpired(event, now)
}
