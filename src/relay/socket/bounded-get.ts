import { request as requestPlain, type IncomingMessage } from 'node:http'
import { request as requestSecure } from 'node:https'
import type { LookupFunction } from 'node:net'

/** The limits of one GET. */
export type GetOptions = {
  readonly accept: string
  readonly maxBytes: number
  readonly timeoutMs: number
  readonly signal: AbortSignal
  /** Replaces the system's resolver; the socket dials what it returns. */
  readonly lookup?: LookupFunction | undefined
}

/** A response. `body` is `undefined` if it is larger than allowed. */
export type Got = {
  readonly status: number
  readonly date: string | undefined
  readonly body: string | undefined
}

/**
 * Sends one GET over its own connection, without following redirects. Avoids `fetch`, which resolves names itself.
 * Rejects unless a whole response arrives within the timeout and before the signal aborts.
 */
export async function boundedGet(url: string, options: GetOptions): Promise<Got> {
  const { signal, timeoutMs } = options
  const ending = new AbortController()
  const interrupt = (): void => ending.abort(signal.reason)
  // Uses its own timer: AbortSignal.timeout() behind AbortSignal.any() may be garbage-collected before it fires (Node
  // 20).
  const timer = setTimeout(() => ending.abort(new Error(`timeout: no answer within ${timeoutMs} ms`)), timeoutMs)
  signal.addEventListener('abort', interrupt)
  if (signal.aborted) interrupt()
  try {
    return await get(new URL(url), { ...options, signal: ending.signal })
  } catch (error) {
    throw ending.signal.aborted ? ending.signal.reason : error
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', interrupt)
  }
}

async function get(url: URL, options: GetOptions): Promise<Got> {
  const response = await send(url, options)
  const { statusCode: status = 0, headers } = response
  try {
    return { status, date: headers.date, body: status === 200 ? await readBody(response, options.maxBytes) : '' }
  } finally {
    response.destroy()
  }
}

function send(url: URL, { accept, signal, lookup }: GetOptions): Promise<IncomingMessage> {
  const request = url.protocol === 'https:' ? requestSecure : requestPlain
  const options = { headers: { accept }, agent: false, signal, ...(lookup === undefined ? {} : { lookup }) }
  return new Promise((resolve, reject) => {
    request(url, options, resolve).on('error', reject).end()
  })
}

/** The body, or `undefined` if it is larger than allowed. */
async function readBody(response: AsyncIterable<Buffer>, maxBytes: number): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response) {
    bytes += chunk.length
    if (bytes > maxBytes) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
