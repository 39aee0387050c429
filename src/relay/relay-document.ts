import { reasonOf } from '../errors.ts'
import { clockOffsetSeconds } from './clock-offset.ts'
import type { Profile } from './endpoint.ts'

/** What the fetch of a document needs; `now` in milliseconds. */
export type DocumentOptions = {
  readonly signal: AbortSignal
  readonly now: () => number
  /** @default 5_000 */
  readonly timeoutMs?: number
}

type Json = Readonly<Record<string, unknown>>

const DEFAULT_TIMEOUT_MS = 5_000
const MAX_DOCUMENT_BYTES = 64 * 1024
const MAX_TEXT_LENGTH = 200

/**
 * What a relay says of itself (NIP-11), by one bounded GET: at most 64 KiB within the timeout, redirects not followed.
 * Never rejects: a document that cannot be read leaves `documentError`, and the clock offset where a response had a `Date`.
 */
export async function fetchRelayDocument(relayUrl: string, options: DocumentOptions): Promise<Profile> {
  let clock: Pick<Profile, 'clockOffsetSeconds'> = {}
  try {
    const response = await get(relayUrl, options)
    clock = present('clockOffsetSeconds', clockOffsetSeconds(response.headers.get('date'), options.now()))
    const document = await readDocument(response)
    return typeof document === 'string'
      ? withoutDocument(document, clock)
      : { ...parseRelayDocument(document), ...clock }
  } catch (error) {
    return withoutDocument(fetchFailure(error), clock)
  }
}

/** The fields of a NIP-11 document that we use, each checked alone: what has the wrong type counts as absent. */
export function parseRelayDocument(document: Json): Profile {
  const limitation = isRecord(document['limitation']) ? document['limitation'] : {}
  return {
    ...present('name', textOf(document['name'])),
    ...present('software', textOf(document['software'])),
    ...present('version', textOf(document['version'])),
    supportedNips: listOf(document['supported_nips'], countOf),
    supportedGrasps: listOf(document['supported_grasps'], textOf),
    ...present('maxMessageBytes', countOf(limitation['max_message_length'])),
    ...present('maxSubscriptions', countOf(limitation['max_subscriptions'])),
    ...present('maxLimit', countOf(limitation['max_limit'])),
  }
}

function get(relayUrl: string, { signal, timeoutMs = DEFAULT_TIMEOUT_MS }: DocumentOptions): Promise<Response> {
  return fetch(relayUrl.replace(/^ws/, 'http'), {
    headers: { accept: 'application/nostr+json' },
    redirect: 'manual',
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
  })
}

/** The document, or in a string what is wrong with it. */
async function readDocument(response: Response): Promise<Json | string> {
  const text = response.status === 200 ? await readText(response) : undefined
  // Whatever is left unread would keep the socket open.
  if (text === undefined) await response.body?.cancel()
  if (response.status >= 300 && response.status < 400) return `redirect not followed (HTTP ${response.status})`
  if (response.status !== 200) return `HTTP ${response.status}`
  if (text === undefined) return `larger than ${MAX_DOCUMENT_BYTES} bytes`
  const document = parseJson(text)
  return isRecord(document) ? document : 'not a JSON object'
}

/** The body, or `undefined` when it is larger than allowed. */
async function readText(response: Response): Promise<string | undefined> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  const body: AsyncIterable<Uint8Array> | readonly Uint8Array[] = response.body ?? []
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > MAX_DOCUMENT_BYTES) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function withoutDocument(documentError: string, clock: Pick<Profile, 'clockOffsetSeconds'>): Profile {
  return { supportedNips: [], supportedGrasps: [], ...clock, documentError }
}

// `fetch failed` says nothing; its cause does.
function fetchFailure(error: unknown): string {
  return reasonOf(error instanceof TypeError && error.cause !== undefined ? error.cause : error)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value.slice(0, MAX_TEXT_LENGTH) : undefined
}

function countOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : undefined
}

function listOf<T>(value: unknown, parse: (element: unknown) => T | undefined): T[] {
  return Array.isArray(value) ? value.flatMap((element) => parse(element) ?? []) : []
}

function present<K extends string, V>(key: K, value: V | undefined): { [name in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { [name in K]?: V }
}
