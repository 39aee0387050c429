import { setTimeout as sleep } from 'node:timers/promises'

import type { Filter } from '../../src/nostr/filter.ts'
import { findEvents } from './memory-store.ts'
import type { Behaviour, ReqAnswer, ReqEnd } from './scripted-behaviour.ts'
import type { Connection, RelayState, Subscription } from './scripted-connection.ts'

/** Answers one REQ as the behaviour of this moment says; ends early when the client closes it or leaves. */
export async function answerReq(
  state: RelayState,
  connection: Connection,
  { subId, filters }: { readonly subId: string; readonly filters: readonly Filter[] },
): Promise<void> {
  const index = state.received.reqs.push({ connection: connection.number, subId, filters }) - 1
  const subscription: Subscription = { filters, live: false }
  connection.subscriptions.set(subId, subscription)
  const usual = await usualAnswer(state, connection, filters)
  const context = {
    subId,
    filters,
    index,
    connection: connection.number,
    authenticated: connection.authenticated,
    answer: usual,
  }
  const decided = (await state.behaviour.onReq?.(context)) ?? 'default'
  await sendAnswer(connection, { subId, subscription, answer: decided === 'default' ? usual : decided })
}

async function usualAnswer(state: RelayState, connection: Connection, filters: readonly Filter[]): Promise<ReqAnswer> {
  // One turn of the queue, so that an EVENT in the same packet is stored first.
  await Promise.resolve()
  const { behaviour } = state
  if (behaviour.requireAuth?.includes('read') === true && !connection.authenticated) {
    return closedAnswer('auth-required: we only serve authenticated clients')
  }
  if (behaviour.noticeOnly !== undefined) return { rows: [], end: { type: 'notice', text: behaviour.noticeOnly } }
  const reason = filters.map((filter) => behaviour.closeReq?.(filter)).find((text) => text !== undefined)
  if (reason !== undefined) return closedAnswer(reason)
  const answer = cutAnswer(behaviour, filters, matchingRows(state, filters))
  connection.firstAnswer ??= answer
  return behaviour.repeatPage === true ? connection.firstAnswer : answer
}

function closedAnswer(reason: string): ReqAnswer {
  return { rows: [], end: { type: 'closed', reason } }
}

function matchingRows({ behaviour, events }: RelayState, filters: readonly Filter[]): unknown[] {
  const { ignoreUntil, ignoreSince, hides, pageCap } = behaviour
  const visible = hides === undefined ? events : new Map([...events].filter(([, event]) => !hides(event)))
  const answered = filters.filter((filter) => behaviour.ignores?.(filter) !== true)
  const obeyed = answered.map(({ since, until, ...rest }) => ({
    ...rest,
    ...(since === undefined || ignoreSince === true ? {} : { since }),
    ...(until === undefined || ignoreUntil === true ? {} : { until }),
  }))
  const found = findEvents(visible, obeyed, pageCap)
  return behaviour.unordered === true ? found.reverse() : found
}

function cutAnswer(behaviour: Behaviour, filters: readonly Filter[], matching: readonly unknown[]): ReqAnswer {
  const rows = [...matching, ...filters.flatMap((filter) => behaviour.extraRows?.(filter) ?? [])]
  const late = filters.flatMap((filter) => behaviour.sendAfterEose?.(filter) ?? [])
  const { dropAfterRows = Infinity, eoseEarly = rows.length, delayMs = 0, neverEose } = behaviour
  if (rows.length > dropAfterRows) return { rows: rows.slice(0, dropAfterRows), end: { type: 'drop' }, delayMs }
  const end: ReqEnd = neverEose === true ? { type: 'never' } : { type: 'eose' }
  return { rows: rows.slice(0, eoseEarly), end, late: [...rows.slice(eoseEarly), ...late], delayMs }
}

type Sending = { readonly subId: string; readonly subscription: Subscription; readonly answer: ReqAnswer }

async function sendAnswer(connection: Connection, { subId, subscription, answer }: Sending): Promise<void> {
  const isWanted = (): boolean => connection.isOpen() && connection.subscriptions.get(subId) === subscription
  const { rows, end, late = [], closedLate, lateDelayMs = 0, delayMs = 0 } = answer
  for (const row of rows) {
    if (delayMs > 0) await sleep(delayMs)
    if (!isWanted()) return
    connection.send('EVENT', subId, row)
  }
  if (delayMs > 0) await sleep(delayMs)
  if (!isWanted()) return
  const release = closedLate !== undefined && lateDelayMs === 0 ? connection.gather() : undefined
  await sendEnd(connection, { subId, subscription, end })
  if (lateDelayMs > 0) await sleep(lateDelayMs)
  for (const row of late) connection.send('EVENT', subId, row)
  if (closedLate !== undefined) connection.send('CLOSED', subId, closedLate)
  release?.()
}

async function sendEnd(
  connection: Connection,
  { subId, subscription, end }: { readonly subId: string; readonly subscription: Subscription; readonly end: ReqEnd },
): Promise<void> {
  switch (end.type) {
    case 'eose':
      subscription.live = true
      return connection.send('EOSE', subId, ...(end.hint === undefined ? [] : [end.hint]))
    case 'closed':
      connection.subscriptions.delete(subId)
      return connection.send('CLOSED', subId, end.reason)
    case 'notice':
      return connection.send('NOTICE', end.text)
    case 'drop':
      return connection.drop()
    case 'never':
  }
}
