/*
 * In a window (`backfill`) threads are read by time, and the parent of an event in the window may lie outside. Such
 * parents are asked for by id, and their parents in turn, so that no event is sent without what it answers.
 */
import type { PlannedRequest } from '../checkpoint/plan.ts'
import { chunkByCountAndBytes } from '../nostr/chunk.ts'
import { isHex32, tagValues, type NostrEvent } from '../nostr/event.ts'
import { parentsOf } from '../nostr/references.ts'
import { takeIn } from '../receive/take-in.ts'
import { findServed } from '../relay/holdings.ts'
import type { OpenSource } from '../run/source.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import { fetchRequests } from './fetch.ts'

const PIECE = 250
const IDS_PER_REQ = 250

/**
 * Takes in the ancestors of every candidate, except those that this run has read or the target serves. Throws
 * LostRelayError.
 */
export async function readParents(run: ScopedRun): Promise<void> {
  const { spool } = run.world.state
  for (const piece of spool.inState('candidate', PIECE)) {
    // An id is the hash of its event, so every chain of parents ends.
    for (let children = piece.map(({ event }) => event); children.length > 0;) {
      const missing = await findMissing(children, run)
      await Promise.all(run.sources.map((source) => fetchParents(source, askedOf(source, missing, children), run)))
      children = missing.flatMap((id) => spool.find(id)?.event ?? [])
    }
  }
}

async function findMissing(children: readonly NostrEvent[], { world, target }: ScopedRun): Promise<string[]> {
  const unread = [...parentIdsOf(children)].filter((id) => isHex32(id) && !world.state.run.isSeen(id))
  const served = await findServed(target, unread)
  return unread.filter((id) => !served.has(id))
}

function parentIdsOf(children: readonly NostrEvent[]): Set<string> {
  return new Set(children.flatMap((event) => ['e', 'E'].flatMap((name) => tagValues(event, name))))
}

/** A discovered source is asked only for parents of events of its own repositories. */
function askedOf({ narrowing }: OpenSource, missing: readonly string[], children: readonly NostrEvent[]) {
  if (narrowing === undefined) return missing
  const named = parentIdsOf(children.filter(narrowing.isAskedAbout))
  return missing.filter((id) => named.has(id))
}

async function fetchParents(source: OpenSource, ids: readonly string[], run: ScopedRun): Promise<void> {
  const groups = [...chunkByCountAndBytes(ids, { maxCount: IDS_PER_REQ, maxBytes: source.peer.maxFilterBytes })]
  await fetchRequests(source.peer, groups.map(requestFor), {
    budget: source.budget,
    aftermath: source.aside,
    sink: (request, events) => {
      const ours = events.filter((event) => parentsOf(event).some((anchor) => run.world.state.anchors.has(anchor)))
      return takeIn(source.peer.endpoint.url, request, ours, run)
    },
    done: (request, fetched) => source.log.request(request, fetched),
    compare: async () => undefined,
  })
}

function requestFor(ids: readonly string[]): PlannedRequest {
  return { layer: 'threads', filter: { ids }, anchors: [], mode: 'full', since: undefined, lateBefore: undefined }
}
