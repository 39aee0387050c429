import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

import type { WebSocket } from 'ws'

import type { NostrEvent } from '../../src/nostr/event.ts'
import type { Filter } from '../../src/nostr/filter.ts'
import type { MemoryStore } from './memory-store.ts'
import type { Behaviour, Outgoing, Received, ReqAnswer } from './scripted-behaviour.ts'
import { createLimitKeeper, type LimitKeeper } from './scripted-limits.ts'
import type { Negotiation } from './scripted-negentropy.ts'

/** What all connections of a scripted relay share. */
export type RelayState = {
  readonly events: MemoryStore
  readonly received: Received
  readonly behaviour: Behaviour
  readonly connections: Set<Connection>
  url: string
}

/** An open REQ; events that arrive later go to it once it is `live`. */
export type Subscription = { readonly filters: readonly Filter[]; live: boolean }

/** One client of a scripted relay. */
export type Connection = {
  readonly number: number
  readonly challenge: string
  authenticated: boolean
  readonly limits: LimitKeeper
  firstAnswer?: ReqAnswer
  readonly subscriptions: Map<string, Subscription>
  readonly negotiations: Map<string, Negotiation>
  send(...frame: readonly unknown[]): void
  /** Holds back what is sent until the function returned is called: then it goes out in one packet. */
  gather(): () => void
  /** Cuts the connection once what was sent is out. */
  drop(): Promise<void>
  isOpen(): boolean
}

/** The connection of a socket. */
export function createConnection(
  socket: WebSocket,
  number: number,
  { behaviour, received }: Pick<RelayState, 'behaviour' | 'received'>,
): Connection {
  const sendOne = (frame: Outgoing): void => {
    if (socket.readyState !== socket.OPEN) return
    const isRaw = typeof frame === 'string' || Buffer.isBuffer(frame)
    socket.send(isRaw ? frame : JSON.stringify(frame), { binary: false })
  }
  const send = (...frame: readonly unknown[]): void => {
    for (const one of behaviour.outgoing?.(frame) ?? [frame]) sendOne(one)
  }
  return {
    number,
    challenge: `challenge-${number}`,
    authenticated: false,
    limits: createLimitKeeper(behaviour.limits ?? {}, received.refusals),
    subscriptions: new Map(),
    negotiations: new Map(),
    send,
    gather: () => {
      // No public way leads there; without it, two frames are two packets.
      const { _socket: wire } = socket as unknown as { readonly _socket: Socket }
      wire.cork()
      return () => wire.uncork()
    },
    drop: () => flushAndTerminate(socket),
    isOpen: () => socket.readyState === socket.OPEN,
  }
}

/** Sends an event to every open subscription that it matches. */
export function broadcast(state: RelayState, event: NostrEvent, matches: (filter: Filter) => boolean): void {
  for (const connection of state.connections) {
    for (const [subId, { filters, live }] of connection.subscriptions) {
      if (live && filters.some(matches)) connection.send('EVENT', subId, event)
    }
  }
}

async function flushAndTerminate(socket: WebSocket): Promise<void> {
  while (socket.readyState === socket.OPEN && socket.bufferedAmount > 0) await sleep(1)
  socket.terminate()
}
