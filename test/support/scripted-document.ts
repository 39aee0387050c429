import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

import type { Behaviour, DocumentReply } from './scripted-behaviour.ts'
import type { RelayState } from './scripted-connection.ts'

/** Answers a plain HTTP request: with the NIP-11 document when it is asked for, else with 426. */
export async function serveDocument(
  { behaviour, received }: RelayState,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.headers.accept?.includes('application/nostr+json') !== true) {
    response.writeHead(426).end('connect by WebSocket')
    return
  }
  received.documents += 1
  const { status = 200, body, headers, delayMs = 0 } = behaviour.onDocument?.() ?? usualDocument(behaviour)
  if (delayMs > 0) await sleep(delayMs)
  setDate(response, behaviour.dateOffsetSeconds ?? 0)
  response.writeHead(status, { 'content-type': 'application/nostr+json', ...headers }).end(body)
}

function setDate(response: ServerResponse, offset: number | 'none'): void {
  if (offset === 'none') response.sendDate = false
  else response.setHeader('date', new Date(Date.now() + offset * 1_000).toUTCString())
}

function usualDocument({ requireAuth, negentropy, document }: Behaviour): DocumentReply {
  const nips = [1, 9, 11, ...(requireAuth === undefined ? [] : [42]), ...(negentropy === true ? [77] : [])]
  const usual = { name: 'scripted', software: 'scripted-relay', version: '1.0.0', supported_nips: nips }
  return { body: JSON.stringify({ ...usual, ...document }) }
}
