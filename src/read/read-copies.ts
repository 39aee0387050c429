/*
 * `check --copies`: reads which end has which event. Everything in scope is asked anew, whatever checkpoints say: they
 * tell what was copied, not who has it today. For each filter the target is read in pages; a source that speaks NIP-77
 * is compared with what came, so that only what the target lacks is sent, and every event once. Other sources are paged.
 *
 * An end counts as having an event when it has shown it, or when a comparison that was borne out proved it equal. What
 * an end does not show proves something only if it was read to its end (rule 1): `whyUnread` says so at the end.
 */
import type { Layer } from '../checkpoint/layers.ts'
import { planRequests, type FilterLimits, type PlannedRequest } from '../checkpoint/plan.ts'
import { addressOf } from '../nostr/address.ts'
import type { NostrEvent } from '../nostr/event.ts'
import { hasRightId } from '../nostr/signed.ts'
import { keepValid } from '../nostr/verifier.ts'
import { unwantedBecause } from '../receive/take-in.ts'
import { IdCollector, type IdSet } from '../relay/negentropy/id-set.ts'
import { sideBySide } from '../relay/side-by-side.ts'
import { failEnd, findCopyEnds, settleCopyEnds, type CopyEnd } from '../run/copy-ends.ts'
import { recordDeletion, recordVanishRequest } from '../run/withdrawn.ts'
import { outOfScope } from '../scope/scope.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import { compareCopies } from './compare-copies.ts'
import { readSecond } from './compare-request.ts'
import { fetchRequests } from './fetch.ts'
import { limitsOf } from './read-source.ts'

const ANCHORS_AT_ONCE = 5_000
/** The ids that the target shows for one filter are in memory meanwhile. */
const FILTERS_AT_ONCE = 3

/** What reading one filter goes by. */
type Counting = { readonly ends: readonly CopyEnd[]; readonly limits: FilterLimits; readonly run: ScopedRun }

/** Fills the table of copies, and returns the ends that were read. */
export async function readCopies(run: ScopedRun): Promise<readonly CopyEnd[]> {
  const ends = findCopyEnds(run)
  const limits = strictest(ends.flatMap(({ open }) => (open === undefined ? [] : limitsOf(open.peer))))
  const requests = planAll({ ends, limits, run })
  await sideBySide(
    requests,
    () => FILTERS_AT_ONCE,
    (request) => readEverywhere(request, { ends, limits, run }),
  )
  await settleCopyEnds(ends, run)
  return ends
}

/** What every end understands: a filter is the same at all, or their answers could not be compared. */
function strictest(limits: readonly FilterLimits[]): FilterLimits {
  return {
    maxCount: Math.min(...limits.map(({ maxCount }) => maxCount)),
    maxBytes: Math.min(...limits.map(({ maxBytes }) => maxBytes)),
    maxTagValueLength: Math.min(...limits.map(({ maxTagValueLength = Infinity }) => maxTagValueLength)),
    findsIdentifiers: limits.every(({ findsIdentifiers = true }) => findsIdentifiers),
    needsKinds: limits.some(({ needsKinds = false }) => needsKinds),
  }
}

/** Yields the filters for all anchors of the scope, layer by layer. */
function* planAll({ limits, run }: Counting): Generator<PlannedRequest> {
  for (const layer of run.layers)
    for (const anchors of anchorsOf(layer, run)) {
      const planned = anchors.map((anchor) => ({ anchor, checkpoint: undefined, held: false }))
      yield* planRequests(layer, planned, run.policy, limits)
    }
}

function* anchorsOf({ name, variants }: Layer, { world, catalog }: ScopedRun): Generator<readonly string[]> {
  const { anchors } = world.state
  const isRead = (anchor: string): boolean =>
    catalog.isOfMembers(name, anchor) && variants.some(({ serves }) => serves(anchor))
  let found = anchors.after(name, 0, ANCHORS_AT_ONCE)
  for (; found.length > 0; found = anchors.after(name, found.at(-1)?.number ?? 0, ANCHORS_AT_ONCE))
    yield found.map(({ anchor }) => anchor).filter(isRead)
}

/** Reads one filter at every end: at the target first, with which the sources are compared. */
async function readEverywhere(request: PlannedRequest, { ends, run }: Counting): Promise<void> {
  // In pages nothing is compared.
  const shown = run.options.reconcile ? new IdCollector() : undefined
  const [target, ...sources] = ends
  if (target !== undefined) await readEnd(target, request, { run, shown })
  const atTarget = shown?.seal()
  await Promise.all(sources.map((source) => readEnd(source, request, { run, atTarget })))
}

/** `shown` takes what an end shows; with what is `atTarget` an end is compared. */
type Reading = {
  readonly run: ScopedRun
  readonly shown?: IdCollector | undefined
  readonly atTarget?: IdSet | undefined
}

async function readEnd(end: CopyEnd, request: PlannedRequest, { run, shown, atTarget }: Reading): Promise<void> {
  const { open } = end
  if (open === undefined) return
  const { options, startedAt } = run
  await fetchRequests(open.peer, [request], {
    budget: open.budget,
    aftermath: open.aftermath,
    sink: (_, events) => takeShown(end, events, { run, shown }),
    done: (_, { drain: { reason } }) => {
      if (reason !== null) noteUnread(end, request, reason, run)
    },
    compare: async (planned, reading) =>
      atTarget === undefined ? undefined : compareCopies({ ...end, open }, planned, { reading, atTarget, run }),
    readSecond: async (page, reading) => options.reconcile && readSecond(open.peer, page, reading, startedAt),
  })
}

/** Takes note of what an end shows. Of a known event the id is checked alone: it is the hash of what was verified. */
async function takeShown(end: CopyEnd, events: readonly NostrEvent[], { run, shown }: Reading): Promise<void> {
  const { state, verifier } = run.world
  const fresh = await keepValid(
    events.filter(({ id }) => !state.copies.has(id)),
    verifier,
  )
  const isFresh = new Set(fresh)
  const genuine = events.filter((event) => isFresh.has(event) || (state.copies.has(event.id) && hasRightId(event)))
  state.transaction(() => {
    for (const event of fresh) meet(event, run)
    state.copies.hold(
      genuine.map(({ id }) => id),
      end.number,
    )
  })
  for (const { id, created_at: createdAt } of genuine) shown?.add(createdAt, id)
}

/** Decides once whether an event counts. What it takes back is noted as well. */
function meet(event: NostrEvent, run: ScopedRun): void {
  const { options, targetNames, catalog, choice, world } = run
  const { state } = world
  if (options.deletions === 'apply') recordDeletion(event, state.run)
  recordVanishRequest(event, targetNames, state.run)
  const isWanted = unwantedBecause(event, run) === undefined && !catalog.isOfAnotherShard(event)
  const counts = isWanted && outOfScope(event, choice.scope, catalog.members()) === undefined
  state.copies.add(event, { address: addressOf(event), repository: catalog.repositoryOf(event), counts })
}

function noteUnread(end: CopyEnd, { layer }: PlannedRequest, reason: string, run: ScopedRun): void {
  if (end.isTarget) failEnd(end, `its ${layer}: ${reason}`, run)
  else run.logs.get(end.url)?.undrained(layer, reason)
}
