/*
 * The run keeps only the newest version of each address. If that one was deleted by its id or has expired, an older one
 * counts. It was dropped on the way, or read by an earlier run, so it is asked for again, by address.
 */
import { addressOf, isNewerVersion } from '../nostr/address.ts'
import type { NostrEvent } from '../nostr/event.ts'
import { keepValid } from '../nostr/verifier.ts'
import { unwantedBecause } from '../receive/take-in.ts'
import { readVersions } from '../relay/holdings.ts'
import type { Peer } from '../relay/peer.ts'
import type { OnGap } from '../relay/read-through.ts'
import { askedTarget, askSources } from '../run/ask-sources.ts'
import type { Run } from '../run/run.ts'
import { askForDeletions, withdrawnBecause } from '../withdraw/withdrawals.ts'

/** A verified version of an address, and the URL of the relay that serves it. */
export type FoundVersion = { readonly event: NostrEvent; readonly source: string }

const ADDRESSES_AT_ONCE = 25
/** Bounds how many versions of an address are in memory, and how many deleted ones its author may pile up (rule 9). */
const VERSIONS_AT_ONCE = 5
const MAX_ROUNDS = 20

/**
 * Returns, for each of these versions that no longer count, the newest one that does, if any source or the target
 * serves one. Throws LostRelayError when the target does not answer.
 */
export async function findLiving(gone: readonly NostrEvent[], run: Run): Promise<FoundVersion[]> {
  const living: FoundVersion[] = []
  for (let first = 0; first < gone.length; first += ADDRESSES_AT_ONCE) {
    living.push(...(await findAmong(gone.slice(first, first + ADDRESSES_AT_ONCE), run)))
  }
  return living
}

async function findAmong(gone: readonly NostrEvent[], run: Run): Promise<FoundVersion[]> {
  const living = new Map<string, FoundVersion>()
  let open = gone
  for (let round = 1; round <= MAX_ROUNDS && open.length > 0; round += 1) {
    const versions = await collectVersions(open, run)
    await askForDeletions(
      [...versions.values()].flatMap((found) => found.map(({ event }) => event)),
      run,
    )
    for (const [address, found] of versions) {
      const standing = found.find(({ event }) => isStanding(event, run))
      if (standing !== undefined) living.set(address, standing)
    }
    open = open
      .map((event) => ({ event, address: addressOf(event) ?? '' }))
      .filter(({ address }) => versions.has(address) && !living.has(address))
      .map(({ event }) => event)
  }
  return [...living.values()]
}

/** Returns the newest versions at the addresses of these events, newest first, without those known to be taken back. */
async function collectVersions(
  gone: readonly NostrEvent[],
  run: Run,
): Promise<ReadonlyMap<string, readonly FoundVersion[]>> {
  const versions = new Map<string, readonly FoundVersion[]>()
  const collect = async (peer: Peer, about: readonly NostrEvent[], onGap: OnGap): Promise<void> => {
    const addresses = new Set(about.flatMap((event) => addressOf(event) ?? []))
    const keepStanding = async (events: readonly NostrEvent[]): Promise<void> => {
      const asked = events.filter((event) => addresses.has(addressOf(event) ?? '') && isStanding(event, run))
      for (const event of await keepValid(asked, run.world.verifier))
        keep(versions, { event, source: peer.endpoint.url })
    }
    await readVersions(peer, [...addresses], keepStanding, onGap)
  }
  await Promise.all([
    collect(askedTarget(run), gone, (reason) => run.targetGaps.note(reason)),
    askSources(run, gone, collect),
  ])
  return versions
}

function isStanding(event: NostrEvent, run: Run): boolean {
  return withdrawnBecause(event, run) === undefined && unwantedBecause(event, run) === undefined
}

function keep(versions: Map<string, readonly FoundVersion[]>, found: FoundVersion): void {
  const address = addressOf(found.event) ?? ''
  const known = versions.get(address) ?? []
  if (known.some(({ event }) => event.id === found.event.id)) return
  const sorted = [...known, found].sort((a, b) => (isNewerVersion(a.event, b.event) ? -1 : 1))
  versions.set(address, sorted.slice(0, VERSIONS_AT_ONCE))
}
