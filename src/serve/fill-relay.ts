import { setImmediate as nextTurn } from 'node:timers/promises'

import { chunkByCountAndBytes } from '../nostr/chunk.ts'
import { addressOf, parseAddress } from '../nostr/address.ts'
import type { NostrEvent } from '../nostr/event.ts'
import { parentsOf } from '../nostr/references.ts'
import { keepValid } from '../nostr/verifier.ts'
import { findVersions } from '../relay/holdings.ts'
import { fetchByIds } from '../relay/paging/fetch-by-ids.ts'
import { stopOfTime } from '../run/stop.ts'
import type { OwnRelay } from '../run/world.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'

const PIECE = 500
/** Parents that were asked for; past this many some are asked for again. */
const MAX_ASKED = 100_000
/** A comment, its root and its repository are three. */
const MAX_STEPS = 10

/**
 * Gives the relay all that the target lacks, and its parents that the target holds; stops half-way when the run has to
 * end. Throws LostRelayError.
 */
export async function fillRelay(relay: OwnRelay, run: ScopedRun): Promise<void> {
  for await (const events of piecesOf(run)) relay.add(events)
  const asked = new Set<string>()
  for await (const events of piecesOf(run)) await addParents(events, { relay, asked, run })
}

/** Between pieces the target's pings, clients and signals are heard: a million events take minutes. */
async function* piecesOf({ world }: ScopedRun): AsyncGenerator<readonly NostrEvent[]> {
  for (const state of ['ready', 'parked'] as const)
    for (const piece of world.state.spool.inState(state, PIECE)) {
      if (stopOfTime(world) !== undefined) return
      yield piece.map(({ event }) => event)
      await nextTurn()
    }
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
