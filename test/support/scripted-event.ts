import { setTimeout as sleep } from 'node:timers/promises'

import type { NostrEvent } from '../../src/nostr/event.ts'
import { storeEvent, type Verdict } from './memory-store.ts'
import { matchesNaively } from './naive-filter.ts'
import type { EventDecision, EventReply } from './scripted-behaviour.ts'
import { broadcast, type Connection, type RelayState } from './scripted-connection.ts'
import { isSigned } from './sign.ts'

/** Decides over one EVENT, keeps it or not, and answers or not. */
export async function answerEvent(state: RelayState, connection: Connection, event: NostrEvent): Promise<void> {
  state.received.events.push(event)
  const decision = (await state.behaviour.onEvent?.(event, connection.number)) ?? 'default'
  const reply = replyFor(state, connection, { event, decision })
  if (reply.store === true) broadcast(state, event, (filter) => matchesNaively(event, filter))
  if (reply.delayMs !== undefined) await sleep(reply.delayMs)
  if (reply.ok !== undefined) connection.send('OK', event.id, reply.ok, reply.text ?? '')
  if (reply.drop === true) await connection.drop()
}

/** Accepts or refuses the answer to the challenge of this connection (NIP-42). */
export function answerAuth(state: RelayState, connection: Connection, event: NostrEvent): void {
  state.received.auths.push(event)
  const names = (name: string): string | undefined => event.tags.find((tag) => tag[0] === name)?.[1]
  const isGood = event.kind === 22_242 && isSigned(event) && names('challenge') === connection.challenge
  connection.authenticated = isGood && names('relay')?.replace(/\/$/, '') === state.url
  connection.send('OK', event.id, connection.authenticated, connection.authenticated ? '' : 'invalid: bad AUTH event')
}

type Asked = { readonly event: NostrEvent; readonly decision: EventDecision }

/** The reply, with `store` only where the event was new and is now kept. */
function replyFor(state: RelayState, connection: Connection, { event, decision }: Asked): EventReply {
  if (decision === 'silent') return {}
  if (decision === 'drop-connection') return { drop: true }
  if (decision !== 'default') {
    const { store = decision.ok === true, ...reply } = decision
    return { ...reply, store: store && storeEvent(state.events, event, state.behaviour.deletions ?? true).stored }
  }
  const { ok, text, stored } = judge(state, connection, event)
  return { ok, text, store: stored }
}

function judge({ behaviour, events }: RelayState, connection: Connection, event: NostrEvent): Verdict {
  if (behaviour.requireAuth?.includes('write') === true && !connection.authenticated) {
    return { ok: false, text: 'auth-required: you must auth', stored: false }
  }
  if (behaviour.verify !== false && !isSigned(event))
    return { ok: false, text: 'invalid: bad signature', stored: false }
  return storeEvent(events, event, behaviour.deletions ?? true)
}
