import type { NostrEvent } from '../../src/nostr/event.ts'
import type { Filter } from '../../src/nostr/filter.ts'
import type { Answer, FileEndpoint, Page, Profile, RelayEndpoint } from '../../src/relay/endpoint.ts'
import { findEvents, storeEvent, type MemoryStore } from './memory-store.ts'

/** How an endpoint in memory behaves; a correct relay where nothing is said. */
export type MemoryEndpointOptions = {
  readonly events?: Iterable<NostrEvent>
  /** @default `ws://memory.example` */
  readonly url?: string
  /** The most rows of a page, whatever `limit` asks. @default no cap */
  readonly cap?: number
  /** Whether it leaves out the second of `until`, as nostr-relay 1.14 does. */
  readonly untilIsExclusive?: boolean
  /** Whether it leaves out the second of `since`, as khatru in memory does. */
  readonly sinceIsExclusive?: boolean
  /** Whether it was lost and came back. */
  readonly hasReturned?: true
  readonly profile?: Partial<Profile>
  /** The last word on a REQ: gets the page that a correct relay would answer. */
  readonly onRequest?: (filter: Filter, page: Page) => Page | Promise<Page>
  readonly onPublish?: (event: NostrEvent) => Answer | undefined
}

/** An endpoint without a socket, with everything that was asked of it. */
export type MemoryEndpoint = RelayEndpoint & {
  readonly events: MemoryStore
  readonly filters: readonly Filter[]
  readonly published: readonly NostrEvent[]
}

/** A relay in memory: newest first, the lower id on a tie, cut at `limit` and at the cap. */
export function createMemoryEndpoint(options: MemoryEndpointOptions = {}): MemoryEndpoint {
  const { url = 'ws://memory.example', cap, profile, onRequest, onPublish } = options
  const { untilIsExclusive = false, sinceIsExclusive = false } = options
  const events: MemoryStore = new Map([...(options.events ?? [])].map((event) => [event.id, event]))
  const filters: Filter[] = []
  const published: NostrEvent[] = []
  return {
    url,
    kind: 'relay',
    events,
    filters,
    published,
    open: async () => ({ supportedNips: [], supportedGrasps: [], ...profile }),
    async request(filter) {
      filters.push(filter)
      const { since = 0, until = Infinity } = filter
      const understood = {
        ...filter,
        ...(untilIsExclusive && { until: until - 1 }),
        ...(sinceIsExclusive && { since: since + 1 }),
      }
      const page = pageOf(findEvents(events, [understood], cap))
      return onRequest === undefined ? page : onRequest(filter, page)
    },
    async publish(event) {
      published.push(event)
      const answer = onPublish?.(event)
      if (answer !== undefined) return answer
      const { ok, text } = storeEvent(events, event, true)
      return { type: 'ok', accepted: ok, text }
    },
    close: async () => undefined,
    notices: () => [],
    settleEnds: async () => undefined,
    givenUp: () => undefined,
    hasReturned: () => options.hasReturned === true,
    strangeness: () => undefined,
    learntLimits: () => ({}),
    requestsAtOnce: () => 8,
    waitedMs: () => 0,
  }
}

/** The same as a file: read at once, without pages. */
export function createMemoryFile(options: MemoryEndpointOptions = {}): FileEndpoint {
  const { url, open, request, publish, close } = createMemoryEndpoint(options)
  return {
    ...{ url, open, request, publish, close },
    kind: 'file',
    async *scan(filter) {
      const { rows, bytes } = await request(filter)
      yield { rows, bytes }
    },
    brokenLines: () => ({ count: 0, examples: [] }),
  }
}

/** A page of these rows that ends with `eose`. */
export function pageOf(rows: readonly unknown[]): Page {
  return { rows, end: { type: 'eose' }, bytes: Buffer.byteLength(JSON.stringify(rows)) }
}
