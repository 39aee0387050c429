import { inspectRelay, type RelayInspection } from '../relay/inspection.ts'
import { createWebSocketRelay, type WebSocketRelay } from '../relay/websocket-relay.ts'
import type { ConnectionOptions } from '../report/run-options.ts'

/** An inspection, as parsed from the command line. */
export type RelayRequest = {
  readonly url: string
  readonly connection: ConnectionOptions
  readonly key: Uint8Array | undefined
  readonly signal: AbortSignal
}

/** Inspects a relay over separate connections. Throws SyncError when it cannot be reached. */
export async function runRelayCommand({ url, connection, key, signal }: RelayRequest): Promise<RelayInspection> {
  const perMessageDeflate = connection.compress === 'always'
  const settings = { ...connection, perMessageDeflate, signal, now: Date.now, random: Math.random }
  const stranger = createWebSocketRelay(url, settings)
  const known: WebSocketRelay | undefined = key && createWebSocketRelay(url, { ...settings, key })
  try {
    return await inspectRelay({ stranger, known, nowMs: () => performance.now() })
  } finally {
    await Promise.all([stranger.close(), known?.close()])
  }
}
