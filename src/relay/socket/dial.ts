import type { LookupFunction } from 'node:net'
import { WebSocket } from 'ws'
import { reasonOf } from '../../errors.ts'
import { clockOffsetSeconds } from './clock-offset.ts'
import { Connection, type ConnectionListener } from './connection.ts'
import type { Traffic } from '../pace/traffic.ts'

/** The options for opening a socket. */
export type DialOptions = {
  readonly connectTimeoutMs: number
  /** Of one message, once it is inflated. */
  readonly maxMessageBytes: number
  /** Whether compression is offered (RFC 7692); the relay decides. */
  readonly perMessageDeflate: boolean
  readonly signal: AbortSignal
  readonly now: () => number
  /** Counts the frames sent. */
  readonly traffic: Traffic
  /** Replaces the system's resolver; the socket dials what it returns. Not called for addresses in the URL. */
  readonly lookup?: LookupFunction
}

/** An open connection, with the relay's clock minus ours by the handshake's `Date` header; or why there is none. */
export type Dialled =
  | { readonly type: 'connected'; readonly connection: Connection; readonly clockOffsetSeconds: number | undefined }
  | { readonly type: 'failed'; readonly reason: string }

const CLOSE_TIMEOUT_MS = 1_000
// Shorter frames than a few ids are not worth the time of compressing them.
const COMPRESSED_FROM_BYTES = 256

/**
 * Opens one socket within the timeout, unless the signal aborts. Does not follow redirects. Never rejects because of
 * what a relay does.
 */
export function dial(url: string, options: DialOptions, listener: ConnectionListener): Promise<Dialled> {
  const { signal, connectTimeoutMs, now, traffic } = options
  const socket = new WebSocket(url, socketOptions(options))
  return new Promise((resolve) => {
    const settle = (dialled: Dialled): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      resolve(dialled)
    }
    const giveUp = (reason: string): void => {
      settle({ type: 'failed', reason })
      socket.terminate()
    }
    const onAbort = (): void => giveUp(String(signal.reason))
    const timer = setTimeout(() => giveUp(`no connection within ${connectTimeoutMs} ms`), connectTimeoutMs)
    signal.addEventListener('abort', onAbort)
    socket.on('error', (error) => settle({ type: 'failed', reason: reasonOf(error) }))
    socket.once('upgrade', ({ headers, socket: stream }) => {
      const offset = clockOffsetSeconds(headers.date, now())
      socket.once('open', () => {
        const connection = new Connection({ socket, stream }, listener, traffic)
        settle({ type: 'connected', connection, clockOffsetSeconds: offset })
      })
    })
  })
}

function socketOptions({ maxMessageBytes, perMessageDeflate, lookup }: DialOptions) {
  return {
    maxPayload: maxMessageBytes,
    perMessageDeflate: perMessageDeflate && { threshold: COMPRESSED_FROM_BYTES },
    followRedirects: false,
    // Known to ws 8.23 but missing in its types: how long a closing handshake may take before the socket is destroyed.
    closeTimeout: CLOSE_TIMEOUT_MS,
    ...(lookup === undefined ? {} : { lookup }),
  }
}
