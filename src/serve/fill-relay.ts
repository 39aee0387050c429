import { chunkByCountAndBytes } from '../nostr/chunk.ts'
import { addressOf, parseAddress } from '../nostr/address.ts'
import type { NostrEvent } from '../nostr/event.ts'
import { parentsOf } from '../nostr/references.ts'
import { keepValid } from '../nostr/verifier.ts'
import { findVersions } from '../relay/holdings.ts'
import { fetchByIds } from '../relay/paging/fetch-by-ids.ts'
import type { OwnRelay } from '../run/world.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'

const PIECE = 500
/** Parents that were asked for; past this many some are asked for again. */
const MAX_ASKED = 100_000
/** A comment, its root and its repository are three. */
const MAX_STEPS = 10

/** Gives the relay all that the target lacks, and its parents that the target holds. Throws LostRelayError. */
export async function fillRelay(relay: OwnRelay, run: ScopedRun): Promise<void> {
  const { spool } = run.world.state
  for (const state of ['ready', 'parked'] as const)
    for (const piece of spool.inState(state, PIECE)) relay.add(piece.map(({ event }) => event))
  const asked = new Set<string>()
  for (const state of ['ready', 'parked'] as const)
    for (const piece of spool.inState(state, PIECE))
      await addParents(
        piece.map(({ event }) => event),
        { relay, asked, run },
      )
}

type Filling = { readonly relay: OwnRelay; readonly asked: Set<string>; readonly run: ScopedRun }

/** Adds the parents of these events that only the target has, and theirs in turn. */
async function addParents(events: readonly NostrEvent[], filling: Filling): Promise<void> {
  const { relay, asked, run } = filling
  let children = events
  for (let step = 0; step < MAX_STEPS && children.length > 0; step += 1) {
    if (asked.size > MAX_ASKED) asked.clear()
    const missing = [...new Set(children.flatMap(parentsOf))].filter((parent) => isMissing(parent, filling))
    for (const parent of missing) asked.add(parent)
    children = await fetchFromTarget(missing, run)
    relay.add(children)
  }
}

function isMissing(parent: string, { relay, asked, run }: Filling): boolean {
  if (asked.has(parent)) return false
  if (parseAddress(parent) === undefined) return !relay.has(parent)
  const version = run.world.state.spool.findVersion(parent)
  return version === undefined || !relay.has(version.event.id)
}

/** The verified events at these addresses and with these ids that the target serves. */
async function fetchFromTarget(parents: readonly string[], { target, world }: ScopedRun): Promise<NostrEvent[]> {
  const addresses = parents.filter((parent) => parseAddress(parent) !== undefined)
  const ids = parents.filter((parent) => parseAddress(parent) === undefined)
  const wanted = new Set(addresses)
  const versions = await findVersions(target, addresses, () => undefined)
  const found = [...versions.values()].filter((event) => wanted.has(addressOf(event) ?? ''))
  await fetchByIds(ids, {
    request: (filter) => target.endpoint.request(filter),
    sink: async (events) => void found.push(...events),
  })
  const valid: NostrEvent[] = []
  for (const chunk of chunkByCountAndBytes(found, { maxCount: PIECE, maxBytes: Infinity }))
    valid.push(...(await keepValid(chunk, world.verifier)))
  return valid
}
