import { createRequire } from 'node:module'
import type * as Ws from 'ws'

const require = createRequire(import.meta.url)

/** The WebSocket of ws. Required, since an import of CommonJS has its text searched for exports first. */
export const { WebSocket } = require('ws') as typeof Ws
export type WebSocket = Ws.WebSocket
