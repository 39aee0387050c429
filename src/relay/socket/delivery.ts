import type { NostrEvent } from '../../nostr/event.ts'
import type { Connection } from './connection.ts'
import type { Answer } from '../endpoint.ts'

/** The result of sending one event once: the relay's answer, or the loss of the connection. */
export type Delivery = Exclude<Answer, { type: 'expired' }> | { readonly type: 'disconnected'; readonly reason: string }

/** Sends an event as `EVENT` (NIP-01) or `AUTH` (NIP-42) on one connection and waits for its OK. */
export function deliver(
  connection: Connection,
  label: 'EVENT' | 'AUTH',
  event: NostrEvent,
  { okTimeoutMs, signal }: { okTimeoutMs: number; signal: AbortSignal },
): Promise<Delivery> {
  const aborts = abortsOf(signal)
  return new Promise((resolve) => {
    const settle = (delivery: Delivery): void => {
      clearTimeout(timer)
      aborts.delete(onAbort)
      connection.forgetOk(event.id)
      resolve(delivery)
    }
    const onAbort = (): void => settle({ type: 'unanswered', reason: String(signal.reason) })
    const onTimeout = (): void => settle({ type: 'unanswered', reason: `no OK within ${okTimeoutMs} ms` })
    const timer = setTimeout(onTimeout, okTimeoutMs)
    if (signal.aborted) return onAbort()
    aborts.add(onAbort)
    connection.send([label, event])
    connection.awaitOk(event.id, {
      onOk: (accepted, text) => settle({ type: 'ok', accepted, text }),
      onLost: (reason) => settle({ type: 'disconnected', reason }),
    })
  })
}

/** What to call when a signal aborts. It looks through its listeners for each new one, so it has one for all events. */
const callbacks = new WeakMap<AbortSignal, Set<() => void>>()

function abortsOf(signal: AbortSignal): Set<() => void> {
  const known = callbacks.get(signal)
  if (known !== undefined) return known
  const aborts = new Set<() => void>()
  callbacks.set(signal, aborts)
  signal.addEventListener('abort', () => aborts.forEach((onAbort) => onAbort()), { once: true })
  return aborts
}
