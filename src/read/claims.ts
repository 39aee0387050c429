/*
 * A comparison by NIP-77 is a claim: the source listed all that it has, and the target only what it serves. Equal
 * ranges are never listed, so a sample tests them: the newest page of the source and two pages further down, at random.
 * If the claim is true, the target serves every event of the sample that did not come as missing; it is asked for them
 * by id.
 */
import { isExpired, parseEvent, type NostrEvent } from '../nostr/event.ts'
import { createMatcher, type Filter } from '../nostr/filter.ts'
import { isEphemeral } from '../nostr/kinds.ts'
import { keepValid } from '../nostr/verifier.ts'
import { findServed } from '../relay/holdings.ts'
import type { DrainContext } from '../relay/paging/drain.ts'
import type { Peer } from '../relay/peer.ts'
import { withinBudget, type Budget } from '../run/budget.ts'
import type { Run } from '../run/run.ts'
import type { UnixSeconds } from '../time.ts'

/** The part of a run that testing a claim needs. */
type ClaimingRun = Pick<Run, 'target' | 'world' | 'startedAt'>

const NEWEST = 20
const FURTHER_DOWN = 10
/** How far below the newest page, in time spans of that page. */
const STEPS = [4, 32]
/** Events younger than this may have arrived between the comparison and the question. */
const RECENT_SECONDS = 900

/** Ids ordered by time, the oldest first. */
type IdList = { readonly size: number; readonly id: (position: number) => string }

/**
 * Whether a few pages of what the source serves bear out a finished comparison: all events in them but those that
 * `isMissing` must be served by the target. Events that came to the source in the meantime go to the sink. False also
 * when the source did not answer or, with `mustShow`, shows nothing. Throws LostRelayError when the target stops
 * answering.
 */
export async function isBorneOut(
  filter: Filter,
  reading: DrainContext,
  run: ClaimingRun,
  { isMissing = (id: string) => run.world.state.run.isSeen(id), mustShow = false } = {},
): Promise<boolean> {
  const { target, world, startedAt: now } = run
  const rows = await sampleRows(filter, reading)
  if (rows === undefined || (mustShow && rows.length === 0)) return false
  const claimed = rows.filter(({ id }) => !isMissing(id)).filter((event) => isAsked(event, now))
  const served = await findServed(
    target,
    claimed.map(({ id }) => id),
  )
  const unserved = await keepValid(
    claimed.filter(({ id }) => !served.has(id)),
    world.verifier,
  )
  const isRecent = (event: NostrEvent): boolean => event.created_at >= now - RECENT_SECONDS
  await reading.sink(unserved.filter(isRecent))
  return unserved.every(isRecent)
}

/**
 * A reading for samples. A sample need not be whole, so rows that come after its EOSE take nothing back; the reading
 * that it is taken for has pages of its own.
 */
export function sampling(
  { peer, budget }: { readonly peer: Peer; readonly budget: Budget },
  reading: DrainContext,
): DrainContext {
  const { request } = withinBudget(peer.endpoint, budget)
  return { ...reading, request: (filter) => request(filter) }
}

/** Whether a target serves all of these ids, which it listed. Throws LostRelayError. */
export async function servesListed(target: Peer, sample: readonly string[]): Promise<boolean> {
  const served = await findServed(target, sample)
  return sample.every((id) => served.has(id))
}

/** Returns at most 30 of the ids: the 20 newest, and 10 spread evenly over the list. */
export function sampleIds(list: IdList): string[] {
  const { size } = list
  const step = Math.max(1, Math.floor(size / FURTHER_DOWN))
  const places = Array.from({ length: FURTHER_DOWN }, (_, index) => index * step)
  const newest = Array.from({ length: NEWEST }, (_, index) => size - 1 - index)
  return [...new Set([...newest, ...places])]
    .filter((place) => place >= 0 && place < size)
    .map((place) => list.id(place))
}

/** Returns some rows from the top and from further down; `undefined` when a question was not answered to its end. */
async function sampleRows(filter: Filter, { request }: DrainContext): Promise<NostrEvent[] | undefined> {
  const matches = createMatcher(filter)
  let isAnswered = true
  const ask = async (asked: Filter): Promise<NostrEvent[]> => {
    const { rows, end } = await request(asked)
    isAnswered &&= end.type === 'eose'
    return rows.flatMap((row) => parseEvent(row) ?? []).filter((event) => matches(event))
  }
  const newest = await ask({ ...filter, limit: NEWEST })
  const places = newest.length < NEWEST ? [] : placesBelow(newest).filter((second) => second > (filter.since ?? 0))
  const below = await Promise.all(places.map((until) => ask({ ...filter, until, limit: FURTHER_DOWN })))
  return isAnswered ? [...newest, ...below.flat()] : undefined
}

/** Picks seconds below a page. The ids of the page decide how far, so nobody can foretell them without it. */
function placesBelow(page: readonly NostrEvent[]): UnixSeconds[] {
  const seconds = page.map((event) => event.created_at)
  const [newest, oldest] = [Math.max(...seconds), Math.min(...seconds)]
  const chance = page.reduce((sum, { id }) => sum + Number.parseInt(id.slice(-2), 16), 0) % 256
  return STEPS.map((step) => oldest - Math.round((newest - oldest + 1) * step * (0.5 + chance / 256)))
}

function isAsked(event: NostrEvent, now: UnixSeconds): boolean {
  return !isEphemeral(event.kind) && !isExpired(event, now)
}
