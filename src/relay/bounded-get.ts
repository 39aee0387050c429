import { request as requestPlain, type IncomingMessage } from 'node:http'
import { request as requestSecure } from 'node:https'
import type { LookupFunction } from 'node:net'

/** What one GET may take. */
export type GetOptions = {
  readonly accept: string
  readonly maxBytes: number
  readonly signal: AbortSignal
  /** Resolves the name instead of the system; what it returns is what is dialled. */
  readonly lookup?: LookupFunction | undefined
}

/** A response. `body` is undefined when it is larger than allowed. */
export type Got = {
  readonly status: number
  readonly date: string | undefined
  readonly body: string | undefined
}

/**
 * One GET over a connection of its own, redirects not followed. Rejects when there is no whole response before the signal aborts.
 * Not by `fetch`, which resolves names by itself.
 */
export async function boundedGet(url: string, options: GetOptions): Promise<Got> {
  const { signal, maxBytes } = options
  try {
    const response = await send(new URL(url), options)
    const { statusCode: status = 0, headers } = response
    try {
      return { status, date: headers.date, body: status === 200 ? await readBody(response, maxBytes) : '' }
    } finally {
      response.destroy()
    }
  } catch (error) {
    throw signal.aborted ? signal.reason : error
  }
}

function send(url: URL, { accept, signal, lookup }: GetOptions): Promise<IncomingMessage> {
  const request = url.protocol === 'https:' ? requestSecure : requestPlain
  const options = { headers: { accept }, agent: false, signal, ...(lookup === undefined ? {} : { lookup }) }
  return new Promise((resolve, reject) => {
    request(url, options, resolve).on('error', reject).end()
  })
}

/** The body, or `undefined` when it is larger than allowed. */
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
