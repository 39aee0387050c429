import type { PlannedRequest } from '../checkpoint/plan.ts'
import { OutOfTimeError, SpoolFullError } from '../errors.ts'
import { parseEvent, type NostrEvent } from '../nostr/event.ts'
import { createMatcher, type Filter, type Matcher, USUAL_LENGTH } from '../nostr/filter.ts'
import { Aftermath } from '../relay/aftermath.ts'
import type { Page } from '../relay/endpoint.ts'
import { Backlog } from '../relay/paging/backlog.ts'
import { drain, type Drain, type DrainContext } from '../relay/paging/drain.ts'
import type { Peer } from '../relay/peer.ts'
import { sideBySide } from '../relay/side-by-side.ts'
import { withinBudget, type Budget } from '../run/budget.ts'
import type { Fetched } from '../run/source-log.ts'
import type { Answered } from './compare-wholes.ts'
import { longestValue, SCAN_BYTES, scanUnindexed } from './scan-unindexed.ts'

const FILTERS_AT_FILE = 4
const PIECE = 250

/**
 * What fetching from one source needs. `sink` receives the events of a request; `done` is told how it went, with the
 * aftermath that may still take that back.
 */
export type FetchContext = {
  readonly budget: Budget
  /** Is told what follows the end of every request; absent: each request has its own. */
  readonly aftermath?: Aftermath
  readonly sink: (request: PlannedRequest, events: readonly NostrEvent[]) => Promise<void>
  readonly done: (request: PlannedRequest, fetched: Fetched, aftermath: Aftermath) => void
  /** Compares with the target instead of reading everything; `undefined` when the request must be paged. */
  readonly compare: (request: PlannedRequest, reading: DrainContext, budget: Budget) => Promise<Fetched | undefined>
  /** Answers a request when source and target were compared as wholes; `undefined` when the source must be asked. */
  readonly answer?: (request: PlannedRequest, matches: Matcher) => Promise<Answered | undefined>
  /** Reads a single second by NIP-77; true when all of it came, and more than `count` events. */
  readonly readSecond?: (page: { filter: Filter; count: number }, reading: DrainContext) => Promise<boolean>
}

/**
 * Reads every planned request at one source, as many at a time as suit it. A request that fails does not stop the
 * others.
 */
export async function fetchRequests(
  source: Peer,
  requests: Iterable<PlannedRequest>,
  context: FetchContext,
): Promise<void> {
  const backlog = new Backlog()
  await sideBySide(
    requests,
    () => filtersAtOnce(source),
    async (request, onPage) => {
      const answered = await context.answer?.(request, createPlannedMatcher(request))
      const aftermath = answered?.aftermath ?? context.aftermath ?? new Aftermath()
      const fetching =
        answered === undefined
          ? fetchRequest(source, request, { ...context, aftermath, backlog, onPage })
          : takeAnswered(answered, request, context)
      context.done(request, await containFullSpool(fetching), aftermath)
    },
  )
}

function filtersAtOnce({ endpoint }: Peer): number {
  return endpoint.kind === 'file' ? FILTERS_AT_FILE : endpoint.requestsAtOnce()
}

/** A full spool ends this filter, not the run: the filter is not drained. */
async function containFullSpool(fetched: Promise<Fetched>): Promise<Fetched> {
  try {
    return await fetched
  } catch (error) {
    if (!(error instanceof SpoolFullError)) throw error
    return unread(error.message)
  }
}

/** Takes in what is known of a request without asking, in pieces as small as pages. */
async function takeAnswered(
  { events, fetched }: Answered,
  request: PlannedRequest,
  { sink }: FetchContext,
): Promise<Fetched> {
  for (let first = 0; first < events.length; first += PIECE) await sink(request, events.slice(first, first + PIECE))
  return fetched
}

function unread(reason: string): Fetched {
  return { drain: { reason, pages: 0, rows: 0, bytes: 0, malformed: 0, foreign: 0 }, comparison: undefined }
}

async function fetchRequest(
  source: Peer,
  planned: PlannedRequest,
  context: FetchContext & { readonly aftermath: Aftermath; readonly backlog: Backlog; readonly onPage: () => void },
): Promise<Fetched> {
  const givenUp = source.endpoint.kind === 'relay' ? source.endpoint.givenUp() : undefined
  if (givenUp !== undefined) return unread(givenUp)
  const isWanted = createPlannedMatcher(planned)
  const { endpoint, capacity, pageLimit, breadth } = source
  const sink = (events: readonly NostrEvent[]): Promise<void> => {
    breadth.show(planned.filter, events)
    return context.sink(planned, events.filter(isWanted))
  }
  if (endpoint.kind === 'file') {
    const drain = await scanFile(endpoint.scan(planned.filter), planned.filter, sink)
    return { drain, comparison: undefined }
  }
  const { scan } = planned
  const { aftermath, backlog } = context
  const budget = scan === undefined ? context.budget : budgetOfScan(scan, context.budget)
  const { request: ask } = withinBudget(endpoint, budget, aftermath)
  const request = async (filter: Filter): Promise<Page> => {
    const page = await ask(filter)
    context.onPage()
    return page
  }
  const plain = { request, sink, aftermath, backlog, capacity, limit: pageLimit }
  const drainContext = {
    ...plain,
    readSecond: async (filter: Filter, count: number) =>
      (await context.readSecond?.({ filter, count }, plain)) === true,
  }
  if (scan !== undefined)
    return { drain: await scanUnindexed({ ...planned, scan }, source, drainContext), comparison: undefined }
  const fetched = (await context.compare(planned, drainContext, context.budget)) ?? {
    drain: await drain(planned.filter, drainContext),
    comparison: undefined,
  }
  return doubted(source, planned.filter, fetched)
}

/** Adds a reason when the relay is known not to answer such a question: then its EOSE proves nothing (rule 1). */
function doubted({ breadth }: Peer, filter: Filter, fetched: Fetched): Fetched {
  const { reason, rows } = fetched.drain
  if (reason !== null) return fetched
  breadth.drained(filter, rows)
  return { ...fetched, drain: { ...fetched.drain, reason: breadth.objection(filter, rows) } }
}

/** Matches the events that a request is about; its filter may ask for more. */
function createPlannedMatcher({ filter, match = filter, scan = [match], accepts }: PlannedRequest): Matcher {
  const matchers = scan.map(createMatcher)
  return (event) => matchers.some((matches) => matches(event)) && accepts?.(event) !== false
}

/** Returns the budget of a scan: small for values that no person writes, larger for usual but unindexed ones. */
function budgetOfScan(scan: readonly Filter[], budget: Budget): Budget {
  const isHuge = longestValue(scan) > USUAL_LENGTH
  const maxBytes = isHuge ? SCAN_BYTES : Math.max(SCAN_BYTES, budget.maxBytes / 4)
  budget.scans ??= new Map()
  const ofScan = budget.scans.get(maxBytes) ?? { bytesLeft: maxBytes, maxBytes, isOfScans: true }
  budget.scans.set(maxBytes, ofScan)
  return ofScan
}

async function scanFile(
  batches: AsyncIterable<Omit<Page, 'end'>>,
  filter: Filter,
  sink: (events: readonly NostrEvent[]) => Promise<void>,
): Promise<Drain> {
  const matches = createMatcher(filter)
  const tally = { pages: 0, rows: 0, bytes: 0, malformed: 0, foreign: 0 }
  try {
    for await (const { rows, bytes } of batches) {
      const events = rows.flatMap((row) => parseEvent(row) ?? []).filter(matches)
      tally.pages += 1
      tally.rows += events.length
      tally.bytes += bytes
      await sink(events)
    }
  } catch (error) {
    if (!(error instanceof OutOfTimeError)) throw error
    return { reason: error.message, ...tally }
  }
  return { reason: null, ...tally }
}
