import { createHash } from 'node:crypto'

import { Negentropy, NegentropyStorageVector } from '@welshman/net/dist/net/src/negentropy.js'

import type { Filter } from '../../src/nostr/filter.ts'
import { findEvents } from './memory-store.ts'
import type { Connection, RelayState } from './scripted-connection.ts'

/** One open reconciliation, as the reference implementation keeps it. */
export type Negotiation = { readonly items: number; reconcile(message: string): Promise<string> }

const FRAME_LIMIT_BYTES = 60_000
const UNKNOWN_LABEL = 'failed to parse envelope: unknown envelope label'

// The reference implementation expects node:crypto where browsers and Node have WebCrypto.
Object.assign(globalThis.crypto, { createHash })

function closeNegotiation({ behaviour }: RelayState, connection: Connection, subId: string): void {
  connection.negotiations.delete(subId)
  const frame = behaviour.onNegClose?.(subId)
  if (frame !== undefined) connection.send(...frame)
}

/** Answers NEG-OPEN, NEG-MSG or NEG-CLOSE (NIP-77); a relay without NIP-77 answers with a NOTICE. */
export async function answerNegentropy(
  state: RelayState,
  connection: Connection,
  frame: readonly unknown[],
): Promise<void> {
  const [label, subId, third, fourth] = frame.map((part) => (typeof part === 'string' ? part : ''))
  if (label === undefined || subId === undefined) return
  if (label !== 'NEG-OPEN') state.received.negs.push({ label, subId })
  if (label === 'NEG-CLOSE') return closeNegotiation(state, connection, subId)
  if (label === 'NEG-MSG') return reconcile(connection, subId, third ?? '')
  const filter = frame[2] as Filter
  state.received.negs.push({ label, subId, filter })
  await openNegotiation(state, connection, { subId, filter, message: fourth ?? '' })
}

type Opening = { readonly subId: string; readonly filter: Filter; readonly message: string }

async function openNegotiation(state: RelayState, connection: Connection, opening: Opening): Promise<void> {
  const { subId, filter, message } = opening
  const { negentropy, negentropyMax = Infinity, negentropyCut, negentropyCutsNewest = Infinity } = state.behaviour
  const { negentropyFrameBytes, onNegOpen } = state.behaviour
  const decision = onNegOpen?.(filter) ?? 'default'
  if (decision === 'silent') return
  if (decision !== 'default') {
    return 'error' in decision
      ? connection.send('NEG-ERR', subId, decision.error)
      : connection.send('NOTICE', decision.notice)
  }
  if (negentropy !== true) return connection.send('NOTICE', UNKNOWN_LABEL)
  const { ignores, unlisted = () => false } = state.behaviour
  const listed = ignores?.(filter) === true ? [] : findEvents(state.events, [filter]).filter((each) => !unlisted(each))
  if (listed.length > negentropyMax) {
    return connection.send('NEG-ERR', subId, 'blocked: too many query results', negentropyMax)
  }
  const refusal = connection.limits.refuseSession(subId, listed.length, [...connection.negotiations.values()])
  if (refusal !== undefined) return connection.send(...refusal)
  const compared = listed.slice(-negentropyCutsNewest).slice(0, negentropyCut)
  connection.negotiations.set(subId, createNegotiation(compared, negentropyFrameBytes))
  await reconcile(connection, subId, message)
}

async function reconcile(connection: Connection, subId: string, message: string): Promise<void> {
  const negotiation = connection.negotiations.get(subId)
  if (negotiation === undefined) return connection.send('NEG-ERR', subId, 'closed: unknown subscription')
  try {
    connection.send('NEG-MSG', subId, await negotiation.reconcile(message))
  } catch (error) {
    connection.negotiations.delete(subId)
    connection.send('NEG-ERR', subId, `error: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function createNegotiation(
  events: readonly { readonly id: string; readonly created_at: number }[],
  frameBytes = FRAME_LIMIT_BYTES,
): Negotiation {
  const storage = new NegentropyStorageVector()
  for (const { id, created_at: createdAt } of events) storage.insert(createdAt, id)
  storage.seal()
  const reference = new Negentropy(storage, frameBytes)
  return {
    items: events.length,
    async reconcile(message) {
      const [answer] = await reference.reconcile(message)
      return String(answer)
    },
  }
}
