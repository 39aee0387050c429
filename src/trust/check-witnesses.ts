/*
 * Checkpoints are believed only while relays still show what they showed: targets get restored from last week's backup,
 * wiped, or replaced behind the same URL. So witnesses are asked for before any `since` is used.
 */
import { LostRelayError } from '../errors.ts'
import { parseStamp } from '../nostr/event.ts'
import { KIND } from '../nostr/kinds.ts'
import { findClaimed } from '../relay/find-claimed.ts'
import { findServed, findVersions } from '../relay/holdings.ts'
import type { Peer } from '../relay/peer.ts'
import { hasVanished, isDeleted } from '../run/withdrawn.ts'
import type { WitnessFacts } from '../run/witness-log.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import type { Witness } from '../store/witnesses.ts'
import type { UnixSeconds } from '../time.ts'
import { findUnexplained } from './absence.ts'

const ASKED = 50
const ASKED_OTHERWISE = 5

/** How many witnesses the target was asked for, and how many are missing without an explanation. */
export type WitnessCheck = { readonly asked: number; readonly unexplained: number }

/** Asks the target for its witnesses, and forgets those that are rightly gone. Throws LostRelayError. */
export async function checkWitnesses(run: ScopedRun): Promise<WitnessCheck> {
  const { target } = run
  const asked = sampleAlive(target, run)
  const missing = await findMissing(target, asked, run.startedAt)
  const unexplained = await findUnexplained(missing, target, run)
  const { witnesses } = run.world.state
  for (const each of missing) if (!unexplained.includes(each)) witnesses.remove(target.endpoint.url, each)
  return { asked: asked.length, unexplained: unexplained.length }
}

/** Counts the witnesses whose absence nothing explains, in batches; stops after the first batch with one. */
export async function countUnexplained(missing: readonly Witness[], run: ScopedRun): Promise<number> {
  const alive = missing.filter((witness) => isAlive(witness, run.startedAt))
  for (let first = 0; first < alive.length; first += ASKED) {
    const unexplained = await findUnexplained(alive.slice(first, first + ASKED), run.target, run)
    if (unexplained.length > 0) return unexplained.length
  }
  return 0
}

/** Whether a source serves none of its witnesses and nothing explains that; false when the source does not answer. */
export async function hasLostEverything(source: Peer, run: ScopedRun): Promise<boolean> {
  try {
    const asked = sampleAlive(source, run)
    // One that is served is enough.
    if ((await findServed(source, asked.slice(0, 1).map(idOf))).size > 0) return false
    const missing = await findMissing(source, asked, run.startedAt)
    return missing.length === asked.length && (await findUnexplained(missing, source, run)).length > 0
  } catch (error) {
    if (error instanceof LostRelayError) return false
    throw error
  }
}

/**
 * Counts the events whose absence nothing explains among the newest that the relay has shown in this run; where it has
 * shown none, among its witnesses of earlier runs, one of which is enough. Throws LostRelayError.
 */
export async function countLost(relay: Peer, run: ScopedRun): Promise<number> {
  const { witnesses, startedAt: now } = run
  const shown = witnesses.newestOf(relay.endpoint.url, ASKED, factsOf(run)).filter((witness) => isAlive(witness, now))
  const asked = shown.length > 0 ? shown : sampleAlive(relay, run)
  const missing = await findMissing(relay, asked, now)
  if (shown.length === 0 && missing.length < asked.length) return 0
  return (await findUnexplained(missing, relay, run)).length
}

/** What decides whether an event is a witness, as far as this run knows. */
export function factsOf({ world, catalog }: ScopedRun): WitnessFacts {
  const { run } = world.state
  return {
    repositoriesOf: (event) => catalog.repositoriesOf(event),
    isWithdrawn: (event) => isDeleted(event, run) || hasVanished(event, run),
  }
}

function sampleAlive({ endpoint }: Peer, { world, startedAt: now }: ScopedRun): Witness[] {
  return world.state.witnesses.sample(endpoint.url, ASKED).filter((witness) => isAlive(witness, now))
}

/**
 * Returns the witnesses that the relay does not hold: an address in this version or a newer one. No regular events when
 * it answers no question by id.
 */
async function findMissing(relay: Peer, witnesses: readonly Witness[], now: UnixSeconds): Promise<Witness[]> {
  const held = await findClaimed(relay, witnesses, now)
  const unheld = witnesses.filter(({ id }) => !held.has(id))
  const isBlind = held.size === 0 && (await showsOtherwise(relay, witnesses.filter(isRegular)))
  return [...(isBlind ? [] : unheld.filter(isRegular)), ...(await findMissingVersions(relay, unheld))]
}

/** Whether the relay shows any of the first few of these when it is asked by author and time. */
async function showsOtherwise({ endpoint, pageLimit: limit }: Peer, witnesses: readonly Witness[]): Promise<boolean> {
  for (const { id, pubkey, createdAt } of witnesses.slice(0, ASKED_OTHERWISE)) {
    // Some relays leave out the second of `since` or of `until`.
    const around = { since: Math.max(0, createdAt - 1), until: createdAt + 1 }
    const { rows } = await endpoint.request({ kinds: Object.values(KIND), authors: [pubkey], ...around, limit })
    if (rows.some((row) => parseStamp(row)?.id === id)) return true
  }
  return false
}

/** Returns the witnesses with an address that the relay serves neither in that version nor in a newer one. */
async function findMissingVersions(relay: Peer, witnesses: readonly Witness[]): Promise<Witness[]> {
  const versions = await findVersions(
    relay,
    witnesses.flatMap(({ address }) => address ?? []),
    // A version that a full second hides counts as missing: then everything is read.
    () => undefined,
  )
  return witnesses.filter(({ address, createdAt }) => {
    return address !== undefined && (versions.get(address)?.created_at ?? -1) < createdAt
  })
}

function idOf({ id }: Witness): string {
  return id
}

function isRegular({ address }: Witness): boolean {
  return address === undefined
}

function isAlive({ expiresAt }: Witness, now: UnixSeconds): boolean {
  return expiresAt === undefined || expiresAt > now
}
