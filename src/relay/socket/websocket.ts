import { createRequire } from 'node:module'
import type * as Ws from 'ws'

/** The WebSocket of ws. Required, since an import of CommonJS reads through its text for exports first. */
export const { WebSocket } = createRequire(import.meta.url)('ws') as typeof Ws
export type WebSocket = Ws.WebSocket
