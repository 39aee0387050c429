/*
 * What has to be known to say whether an event belongs: the announcements of its repositories, and the events that it
 * refers to. Both are asked for by name, now, and bounded: authors choose how much they refer to.
 */
import { LostRelayError } from '../errors.ts'
import { addressOf, parseAddress } from '../nostr/address.ts'
import type { NostrEvent } from '../nostr/event.ts'
import { KIND } from '../nostr/kinds.ts'
import { referencesOf } from '../nostr/references.ts'
import { keepValid } from '../nostr/verifier.ts'
import { readVersions } from '../relay/holdings.ts'
import type { Peer } from '../relay/peer.ts'
import { readThrough, splitByLength } from '../relay/read-through.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import { findById } from './ask-place.ts'
import { placeInScope } from './place-in-scope.ts'

/** The relays and files that are asked; the target is the first. */
export type Places = { readonly target: Peer; readonly sources: readonly Peer[] }

const MAX_REFERENCES = 20
/** From a reply of a reply to its root. */
const MAX_STEPS = 5

/** Learns what decides whether the event belongs to the run. Returns the ids of those it refers to that belong. */
export async function learnContext(event: NostrEvent, places: Places, run: ScopedRun): Promise<ReadonlySet<string>> {
  const kin = new Set<string>()
  await learnFrom(event, { places, run, met: new Set([event.id]), kin }, MAX_STEPS)
  return kin
}

type Learning = {
  readonly places: Places
  readonly run: ScopedRun
  readonly met: Set<string>
  readonly kin: Set<string>
}

async function learnFrom(event: NostrEvent, learning: Learning, stepsLeft: number): Promise<void> {
  const { run, met, kin, places } = learning
  const { addresses, ids } = referencesOf(event)
  const own = event.kind === KIND.announcement ? [addressOf(event) ?? ''] : []
  await learnAnnouncements([...own, ...addresses].slice(0, MAX_REFERENCES), learning)
  run.catalog.deriveAnchors()
  if (stepsLeft === 0) return
  for (const id of ids.slice(0, MAX_REFERENCES).filter((each) => !met.has(each))) {
    met.add(id)
    const parent = await findVerified(id, places, run)
    if (parent === undefined) continue
    await learnFrom(parent, learning, stepsLeft - 1)
    const { layer } = placeInScope(parent, run, kin)
    if (layer === null) continue
    kin.add(id)
    run.catalog.learn(layer, parent, false)
  }
}

async function findVerified(id: string, { target, sources }: Places, run: ScopedRun): Promise<NostrEvent | undefined> {
  for (const peer of [target, ...sources]) {
    const found = await orNothing(() => findById(peer, id))
    if (found !== undefined && (await keepValid([found], run.world.verifier)).length > 0) return found
  }
  return undefined
}

/** Learns every announcement of these identifiers: maintainers of one repository share it. */
async function learnAnnouncements(
  addresses: readonly string[],
  { places: { target, sources }, run }: Learning,
): Promise<void> {
  if (addresses.length === 0) return
  const { verifier } = run.world
  const learn = async (peer: Peer, held: boolean): Promise<void> => {
    const keep = async (events: readonly NostrEvent[]): Promise<void> => {
      for (const event of await keepValid(events, verifier)) {
        if (event.kind === KIND.announcement) run.catalog.learn('announcements', event, held)
      }
    }
    await orNothing(() => readAnnouncements(peer, addresses, keep))
  }
  await Promise.all([learn(target, true), ...sources.map((source) => learn(source, false))])
}

async function readAnnouncements(
  peer: Peer,
  addresses: readonly string[],
  keep: (events: readonly NostrEvent[]) => Promise<void>,
): Promise<void> {
  const names = [...new Set(addresses.map((address) => parseAddress(address)?.d ?? ''))]
  const [indexed] = splitByLength(peer.findsIdentifiers ? names : [], (d) => d, peer)
  if (indexed.length > 0) await readThrough(peer, { kinds: [KIND.announcement], '#d': indexed }, keep)
  await readVersions(peer, addresses, keep, () => undefined)
}

/** A place that does not answer adds nothing; the answer about the event itself says so. */
async function orNothing<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask()
  } catch (error) {
    if (!(error instanceof LostRelayError)) throw error
    return undefined
  }
}
