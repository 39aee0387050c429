import { OutOfTimeError, SpoolFullError } from './errors.ts'
import { parseEvent, type NostrEvent } from './nostr/event.ts'
import { createMatcher, type Filter } from './nostr/filter.ts'
import type { PlannedRequest } from './plan.ts'
import type { Endpoint, Page } from './relay/endpoint.ts'
import { drain, type Drain, type DrainContext } from './relay/paging.ts'
import type { Peer } from './relay/peer.ts'
import type { FilterComparison } from './relay/reconcile-filter.ts'

const CONCURRENT_FILTERS = 4

/** What a source may still send in this run, in bytes. Past it no filter is drained. */
export type Budget = { bytesLeft: number; readonly maxBytes: number }

/** What the fetch of one source needs. `sink` takes the events of a request, `done` how it went. */
export type FetchContext = {
  readonly budget: Budget
  readonly sink: (request: PlannedRequest, events: readonly NostrEvent[]) => Promise<void>
  readonly done: (request: PlannedRequest, fetched: Fetched) => void
  /** Compares with the target instead of reading everything, where a request allows it; `undefined`: it must be paged. */
  readonly compare: (request: PlannedRequest, reading: DrainContext, budget: Budget) => Promise<Fetched | undefined>
  /** Reads a single second by NIP-77: true when all of it came, and that was more than `count` events. */
  readonly readSecond?: (page: { filter: Filter; count: number }, reading: DrainContext) => Promise<boolean>
}

/** How one request was read: in pages, or (`comparison`) by NIP-77. */
export type Fetched = { readonly drain: Drain; readonly comparison: FilterComparison | undefined }

/** Reads every planned request at one source, several at a time. A request that fails does not stop the others. */
export async function fetchRequests(
  source: Peer,
  requests: Iterable<PlannedRequest>,
  context: FetchContext,
): Promise<void> {
  const queue = requests[Symbol.iterator]()
  const worker = async (): Promise<void> => {
    for (let next = queue.next(); next.done !== true; next = queue.next()) {
      context.done(next.value, await containFullSpool(fetchRequest(source, next.value, context)))
    }
  }
  await Promise.all(Array.from({ length: CONCURRENT_FILTERS }, worker))
}

/** A spool without room ends this filter, not the run: it is not drained. */
async function containFullSpool(fetched: Promise<Fetched>): Promise<Fetched> {
  try {
    return await fetched
  } catch (error) {
    if (!(error instanceof SpoolFullError)) throw error
    const drain = { reason: error.message, pages: 0, rows: 0, bytes: 0, malformed: 0, foreign: 0 }
    return { drain, comparison: undefined }
  }
}

async function fetchRequest(source: Peer, planned: PlannedRequest, context: FetchContext): Promise<Fetched> {
  const matches = createMatcher(planned.match ?? planned.filter)
  const { accepts = () => true } = planned
  const isWanted = (event: NostrEvent): boolean => matches(event) && accepts(event)
  const sink = (events: readonly NostrEvent[]): Promise<void> => context.sink(planned, events.filter(isWanted))
  const { endpoint, capacity, pageLimit } = source
  if (endpoint.scan !== undefined) {
    const drain = await scanFile(endpoint.scan(planned.filter), planned.filter, sink)
    return { drain, comparison: undefined }
  }
  const { request } = withinBudget(endpoint, context.budget)
  const plain = { request, sink, capacity, limit: pageLimit }
  const drainContext = {
    ...plain,
    readSecond: async (filter: Filter, count: number) =>
      (await context.readSecond?.({ filter, count }, plain)) === true,
  }
  const compared = await context.compare(planned, drainContext, context.budget)
  return compared ?? { drain: await drain(planned.filter, drainContext), comparison: undefined }
}

/** The endpoint, read within the budget: every question to a source counts, not only the pages of a filter (rule 9). */
export function withinBudget(endpoint: Endpoint, budget: Budget): Endpoint {
  return {
    url: endpoint.url,
    kind: endpoint.kind,
    open: () => endpoint.open(),
    request: (filter) => requestWithin(budget, endpoint, filter),
    publish: (event, isExpired) => endpoint.publish(event, isExpired),
    close: () => endpoint.close(),
  }
}

/** Why nothing more is read from a source that has sent too much. */
export function overBudget({ maxBytes }: Budget): string {
  return `it sent more than the ${maxBytes} bytes that --max-bytes allows`
}

async function requestWithin(budget: Budget, endpoint: Endpoint, filter: Filter): Promise<Page> {
  if (budget.bytesLeft <= 0) {
    return { rows: [], end: { type: 'aborted', reason: overBudget(budget) }, bytes: 0 }
  }
  const page = await endpoint.request(filter)
  budget.bytesLeft -= page.bytes
  return page
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
