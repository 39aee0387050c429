import fc from 'fast-check'

import type { NostrEvent } from '../../src/nostr/event.ts'
import type { Filter } from '../../src/nostr/filter.ts'
import type { Aftermath } from '../../src/relay/aftermath.ts'
import type { Answer, RelayEndpoint, End, Page } from '../../src/relay/endpoint.ts'
import { SyncError } from '../../src/errors.ts'
import type { MemoryEndpoint } from '../support/memory-endpoint.ts'

/**
 * What goes wrong with one REQ: how it ends, after how many of its rows; or an EOSE after so many that is taken back.
 */
export type RequestFault =
  | { readonly end: End; readonly rows: number }
  | { readonly rows: number; readonly takenBackBy: 'CLOSED' | 'the other rows' }
  | 'forges'
  | 'shuffles'

/** What goes wrong with one EVENT. */
export type PublishFault = { readonly answer: Answer; readonly isKept: boolean }

/**
 * What goes wrong at one endpoint, in order; when it is used up, all is well. `undefined` is a moment without a fault.
 */
export type Schedule = {
  readonly opens: readonly boolean[]
  readonly requests: readonly (RequestFault | undefined)[]
  readonly publishes: readonly (PublishFault | undefined)[]
}

const end: fc.Arbitrary<End> = fc.constantFrom<End[]>(
  { type: 'closed', reason: 'error: the index is broken' },
  { type: 'closed', reason: 'rate-limited: slow down' },
  { type: 'idle', afterMs: 30_000 },
  { type: 'disconnected', reason: 'connection closed (1006)' },
)
const request = fc.oneof(
  { weight: 3, arbitrary: fc.record({ end, rows: fc.nat(4) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      rows: fc.nat(4),
      takenBackBy: fc.constantFrom('CLOSED' as const, 'the other rows' as const),
    }),
  },
  { weight: 1, arbitrary: fc.constantFrom('forges' as const, 'shuffles' as const) },
)
const publish: fc.Arbitrary<PublishFault> = fc.oneof(
  fc.record({
    answer: fc.constant<Answer>({ type: 'unanswered', reason: 'no OK within 10000 ms' }),
    isKept: fc.boolean(),
  }),
  fc.record({
    answer: fc.constantFrom<Answer[]>(
      { type: 'ok', accepted: false, text: 'error: database is locked' },
      { type: 'ok', accepted: false, text: 'rate-limited: slow down' },
    ),
    isKept: fc.boolean(),
  }),
  // An OK that proves nothing.
  fc.record({ answer: fc.constant<Answer>({ type: 'ok', accepted: true, text: '' }), isKept: fc.constant(false) }),
)

/** Any schedule that ends. */
export const anySchedule: fc.Arbitrary<Schedule> = fc.record({
  opens: fc.array(fc.boolean(), { maxLength: 2 }),
  requests: fc.array(fc.option(request, { nil: undefined, freq: 3 }), { maxLength: 40 }),
  publishes: fc.array(fc.option(publish, { nil: undefined, freq: 2 }), { maxLength: 12 }),
})

/** An endpoint that follows a schedule; what it has used up stays used up from run to run. */
export function disturb(endpoint: MemoryEndpoint, schedule: Schedule): RelayEndpoint {
  const opens = schedule.opens.values()
  const requests = schedule.requests.values()
  const publishes = schedule.publishes.values()
  const contradictions: (() => void)[] = []
  const takeBackAll = (): void => {
    for (const contradict of contradictions.splice(0)) contradict()
  }
  return {
    ...endpoint,
    settleEnds: async () => takeBackAll(),
    async open() {
      if (opens.next().value === false) throw new SyncError(`connect to ${endpoint.url}: ECONNREFUSED`)
      return endpoint.open()
    },
    async request(filter: Filter, aftermath?: Aftermath) {
      takeBackAll()
      const page = await endpoint.request(filter)
      const fault = requests.next().value
      if (typeof fault !== 'object' || !('takenBackBy' in fault)) return spoilPage(page, fault)
      const [shown, withheld] = [page.rows.slice(0, fault.rows), page.rows.slice(fault.rows)]
      aftermath?.open()
      contradictions.push(() => takeBack(withheld, fault.takenBackBy, aftermath))
      return { ...page, rows: shown }
    },
    async publish(event: NostrEvent) {
      const fault = publishes.next().value
      if (fault === undefined) return endpoint.publish(event)
      if (fault.isKept) await endpoint.publish(event)
      return fault.answer
    },
  }
}

function takeBack(
  withheld: readonly unknown[],
  by: 'CLOSED' | 'the other rows',
  aftermath: Aftermath | undefined,
): void {
  if (by === 'CLOSED') aftermath?.noteClosed('auth-required: who are you?')
  else for (const row of withheld) aftermath?.noteLate((row as NostrEvent).id)
  aftermath?.settle()
}

function spoilPage(page: Page, fault: Exclude<RequestFault, { takenBackBy: unknown }> | undefined): Page {
  if (fault === undefined) return page
  if (fault === 'shuffles') return { ...page, rows: [...page.rows].reverse() }
  if (fault !== 'forges') return { ...page, rows: page.rows.slice(0, fault.rows), end: fault.end }
  const copies = page.rows.map((row) => ({ ...(row as NostrEvent), content: 'forged' }))
  return { ...page, rows: page.rows.flatMap((row, index) => [copies[index], row]) }
}
