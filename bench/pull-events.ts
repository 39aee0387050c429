import { once } from 'node:events'

import WebSocket from 'ws'

import type { NostrEvent } from '../src/nostr/event.ts'

const PAGE_ROWS = 500
/** The whole of an empty set (NIP-77, version 1): the answer begins the comparison of everything. */
const OPEN_OF_NOTHING = '6100000200'

/**
 * Reads everything from one relay, newest first, page after page, and gives each page to another. Believes both. With
 * `comparing` a comparison of everything is open meanwhile. Returns how many events were given.
 */
export async function pullEvents(from: string, to: string, { comparing = false } = {}): Promise<number> {
  const [source, target] = await Promise.all([connect(from), connect(to)])
  try {
    if (comparing) await openComparison(source)
    let given = 0
    let page = await readPage(source, Infinity)
    for (let until = Infinity; page.length > 0; page = await readPage(source, until)) {
      await give(target, page)
      given += page.length
      until = (page.at(-1)?.created_at ?? 0) - 1
    }
    return given
  } finally {
    source.close()
    target.close()
  }
}

async function connect(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url, { perMessageDeflate: false })
  await once(socket, 'open')
  return socket
}

async function openComparison(source: WebSocket): Promise<void> {
  source.send(JSON.stringify(['NEG-OPEN', 'all', {}, OPEN_OF_NOTHING]))
  await untilAnswer(source, (frame) => frame[0] === 'NEG-MSG')
}

async function readPage(source: WebSocket, until: number): Promise<NostrEvent[]> {
  const page: NostrEvent[] = []
  source.send(JSON.stringify(['REQ', 'pull', { limit: PAGE_ROWS, ...(until === Infinity ? {} : { until }) }]))
  await untilAnswer(source, ([label, , event]) => {
    if (label === 'EVENT') page.push(event as NostrEvent)
    return label === 'EOSE'
  })
  return page
}

async function give(target: WebSocket, events: readonly NostrEvent[]): Promise<void> {
  let answers = 0
  for (const event of events) target.send(JSON.stringify(['EVENT', event]))
  await untilAnswer(target, ([label]) => label === 'OK' && (answers += 1) === events.length)
}

/** Resolves when a frame ends what was asked; rejects when the relay refuses or hangs up. */
async function untilAnswer(socket: WebSocket, isEnd: (frame: readonly unknown[]) => boolean): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const finish = (error?: Error): void => {
      socket.off('message', onMessage)
      socket.off('close', onClose)
      if (error === undefined) resolve()
      else reject(error)
    }
    const onClose = (): void => finish(new Error('pull: the relay hung up'))
    const onMessage = (text: Buffer): void => {
      const frame = JSON.parse(text.toString()) as unknown[]
      if (['CLOSED', 'NEG-ERR', 'NOTICE'].includes(String(frame[0]))) finish(new Error(`pull: ${text.toString()}`))
      else if (isEnd(frame)) finish()
    }
    socket.on('message', onMessage)
    socket.on('close', onClose)
  })
}
