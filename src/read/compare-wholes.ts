/*
 * Comparing source and target as wholes, by NIP-77 and the filter `{}`.
 *
 * A relay that holds mostly git events differs from another by little, so one comparison of everything costs less than
 * those of thousands of anchors. What the source has and the target lacks is fetched by id and kept; each full request
 * of any layer is then answered from it, as if the source had been asked. What both hold need not be seen: the target
 * itself is read for its announcements and roots.
 *
 * It proves as much as comparing the requests one by one, or it is not used (rule 1): the comparison ends, every id it
 * found is served, nothing lies below the oldest id that the source listed, and samples bear it out (`claims.ts`). A
 * difference that costs more than the requests would ends it: then, and when anything fails, the layers are read.
 */
import type { PlannedRequest } from '../checkpoint/plan.ts'
import type { NostrEvent } from '../nostr/event.ts'
import type { Filter, Matcher } from '../nostr/filter.ts'
import { Aftermath } from '../relay/aftermath.ts'
import type { Page } from '../relay/endpoint.ts'
import { createRelaySet, withWindow, type ComparedSet } from '../relay/negentropy/compared-set.ts'
import { reconcileFilter, type ComparedWindow, type FilterComparison } from '../relay/negentropy/reconcile-filter.ts'
import { drain, type DrainContext } from '../relay/paging/drain.ts'
import { fetchByIds } from '../relay/paging/fetch-by-ids.ts'
import { proveBottom } from '../relay/paging/prove-bottom.ts'
import { isWindowed } from '../report/run-options.ts'
import { withinBudget, type Budget } from '../run/budget.ts'
import type { Fetched } from '../run/source-log.ts'
import type { OpenSource } from '../run/source.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import type { UnixSeconds } from '../time.ts'
import type { BareTarget } from './bare-target.ts'
import { isBorneOut, OF_WHOLE, OF_WHOLE_AGAIN, type Sample } from './claims.ts'

/**
 * What a source has and the target lacks of one request, and what may still take that back. `events` leaves out those
 * that another request has brought: the target is asked about each once.
 */
export type Answered = {
  readonly events: readonly NostrEvent[]
  readonly fetched: Fetched
  readonly aftermath: Aftermath
}

type ComparingRun = ScopedRun & { readonly bareTarget: BareTarget }

/** What is about to be read, and whether a checkpoint says that the source was drained before, for any of it. */
type Expected = { readonly fullAnchors: number; readonly wasDrained: boolean }

/** Fewer anchors are compared by their own filters. */
const MIN_ANCHORS = 20
/** What the requests cost at least, at both ends together: more may not be spent on the whole. */
const COST = { anyway: 32 * 1024, perAnchor: 250 }
const MAX_MISSING = 2_000
const MAX_MISSING_BYTES = 4 * 2 ** 20
const EVERYTHING: Filter = {}
const TOO_MUCH: Page = { rows: [], end: { type: 'aborted', reason: 'the difference is large' }, bytes: 0 }

/** The comparisons of one run: each source at most once, and only when it has enough to answer. */
export class Wholes {
  readonly #run: ComparingRun
  readonly #compared = new Map<OpenSource, Promise<Difference | undefined>>()

  constructor(run: ComparingRun) {
    this.#run = run
  }

  /** Compares a source as a whole if enough anchors are about to be read in full there. */
  expect(source: OpenSource, { fullAnchors, wasDrained }: Expected): void {
    if (fullAnchors < MIN_ANCHORS || this.#compared.has(source) || !mayCompareWhole(source, this.#run)) return
    const maxBytes = COST.anyway + fullAnchors * COST.perAnchor
    const sample = wasDrained ? OF_WHOLE_AGAIN : OF_WHOLE
    const comparing = compareWhole(source, { maxBytes, sample }, this.#run)
    // Whoever asks for an answer gets the error.
    comparing.catch(() => undefined)
    this.#compared.set(source, comparing)
  }

  /** Answers a full request from what the source has and the target lacks; `undefined` when it must be asked. */
  async answer(source: OpenSource, request: PlannedRequest, matches: Matcher): Promise<Answered | undefined> {
    if (request.mode !== 'full') return undefined
    return (await this.#compared.get(source))?.answer(matches)
  }

  /** The source took something back: it is asked again, request by request. */
  distrust(source: OpenSource): void {
    this.#compared.set(source, Promise.resolve(undefined))
  }
}

/** What a source has and the target lacks. Counts and bytes are told with the first answer, once. */
class Difference {
  readonly #events: readonly NostrEvent[]
  readonly #aftermath: Aftermath
  readonly #handedOut = new Set<string>()
  #fetched: Fetched

  constructor(events: readonly NostrEvent[], fetched: Fetched, aftermath: Aftermath) {
    this.#events = events
    this.#fetched = fetched
    this.#aftermath = aftermath
  }

  answer(matches: Matcher): Answered {
    const matching = this.#events.filter(matches)
    const events = matching.filter(({ id }) => !this.#handedOut.has(id))
    for (const { id } of events) this.#handedOut.add(id)
    const { drain, comparison } = this.#fetched
    this.#fetched = { drain: NOTHING_READ, comparison: NOTHING_COMPARED }
    return { events, fetched: { drain: { ...drain, rows: matching.length }, comparison }, aftermath: this.#aftermath }
  }
}

const NOTHING_READ = { reason: null, pages: 0, rows: 0, bytes: 0, malformed: 0, foreign: 0 }
const NOTHING_COMPARED: FilterComparison = {
  ...{ roundTrips: 0, listed: 0, missing: 0 },
  traffic: { source: { sent: 0, received: 0 }, target: { sent: 0, received: 0 } },
}

/** A discovered source is asked about few repositories; with `--follow-ups` events that both hold must be seen. */
function mayCompareWhole({ narrowing }: OpenSource, { options, policy, choice }: ScopedRun): boolean {
  if (!options.reconcile || options.followUps || narrowing !== undefined) return false
  return choice.scope.type !== 'named' && policy.since === undefined && !isWindowed(options)
}

type Bounds = { readonly maxBytes: number; readonly sample: Sample }

async function compareWhole(
  source: OpenSource,
  { maxBytes, sample }: Bounds,
  run: ComparingRun,
): Promise<Difference | undefined> {
  if (await run.bareTarget.showsNothing()) return undefined
  const aftermath = new Aftermath()
  const atSource = createRelaySet(source.peer, EVERYTHING, aftermath)
  const atTarget = createRelaySet(run.target, EVERYTHING, aftermath)
  if (atSource === undefined || atTarget === undefined) return undefined
  const { capacity, pageLimit: limit } = source.peer
  const { request } = withinBudget(source.peer.endpoint, source.budget, aftermath)
  const found = new Findings()
  const ask = async (filter: Filter): Promise<Page> => (found.isFull ? TOO_MUCH : request(filter))
  const reading = { request: ask, capacity, limit, aftermath, sink: found.keep }
  const sides = { source: atSource, target: atTarget }
  const comparison = await findMissing(sides, { maxBytes, budget: source.budget, now: run.startedAt })
  if (comparison === undefined) return undefined
  const missing = new Set(comparison.ids)
  const isSeen = (id: string): boolean => run.world.state.run.isSeen(id)
  const isMissing = (id: string): boolean => missing.has(id) || isSeen(id)
  // First the samples: they show how long the pages of the source are, which the proof of its bottom must know.
  const onMissing = (shown: readonly NostrEvent[]): Promise<void> => found.keep(shown.filter(({ id }) => !isSeen(id)))
  const isTrue = await isBorneOut(EVERYTHING, { source, reading }, run, { isMissing, onMissing, sample })
  if (!isTrue || !(await readBelow(comparison.windows, reading))) return undefined
  const unread = comparison.ids.filter((id) => !isSeen(id) && !found.has(id))
  const { unserved, ...fetched } = await fetchByIds(unread, reading)
  if (fetched.reason !== null || unserved.length > 0 || found.isFull) return undefined
  return new Difference(found.events, { drain: fetched, comparison }, aftermath)
}

/** The events that came, as long as they are not too many to keep. */
class Findings {
  readonly #events = new Map<string, NostrEvent>()
  #bytes = 0

  get events(): readonly NostrEvent[] {
    return [...this.#events.values()]
  }

  get isFull(): boolean {
    return this.#events.size > MAX_MISSING || this.#bytes > MAX_MISSING_BYTES
  }

  has(id: string): boolean {
    return this.#events.has(id)
  }

  readonly keep = async (events: readonly NostrEvent[]): Promise<void> => {
    if (this.isFull) return
    for (const event of events) {
      this.#events.set(event.id, event)
      this.#bytes += JSON.stringify(event).length
    }
  }
}

type Sides = { readonly source: ComparedSet; readonly target: ComparedSet }
type Searching = {
  readonly maxBytes: number
  readonly budget: Budget
  readonly now: UnixSeconds
}

type Found = FilterComparison & { readonly ids: readonly string[]; readonly windows: readonly ComparedWindow[] }

/** The ids that only the source lists; `undefined` when they are too many. */
async function findMissing(sides: Sides, { maxBytes, budget, now }: Searching): Promise<Found | undefined> {
  const ids: string[] = []
  const compared = await reconcileFilter({
    ...{ ...sides, filter: EVERYTHING, now, findsOldest: true, isThrifty: true },
    onMissing: async (missing) => void ids.push(...missing),
    shouldStop: (_, bytes) => (bytes > maxBytes || ids.length > MAX_MISSING ? 'the difference is large' : undefined),
  })
  budget.bytesLeft -= compared.traffic.source.received
  return compared.type === 'failed' || ids.length > MAX_MISSING ? undefined : { ...compared, ids }
}

/** Reads what lies below the oldest ids that the source listed. Returns whether it was read to its end. */
async function readBelow(windows: readonly ComparedWindow[], reading: DrainContext): Promise<boolean> {
  for (const { window, oldest = [] } of windows) {
    const unproven = await proveBottom(withWindow(EVERYTHING, window), oldest, reading)
    if (unproven === undefined) continue
    // Mostly the oldest second alone, of which more than was listed counts as missing.
    const sink = (events: readonly NostrEvent[]) => reading.sink(events.filter(({ id }) => !oldest.includes(id)))
    if ((await drain(unproven, { ...reading, sink })).reason !== null) return false
  }
  return true
}
