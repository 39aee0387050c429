import type { LookupFunction } from 'node:net'
import { reasonOf } from '../../errors.ts'
import { boundedGet, type Got } from './bounded-get.ts'
import { clockOffsetSeconds } from './clock-offset.ts'
import type { Profile } from '../endpoint.ts'

/** The options for fetching a document; `now` is in milliseconds. */
export type DocumentOptions = {
  readonly signal: AbortSignal
  readonly now: () => number
  /** @default 5_000 */
  readonly timeoutMs?: number
  /** Replaces the system's resolver; the socket dials what it returns. */
  readonly lookup?: LookupFunction
}

type Json = Readonly<Record<string, unknown>>

const DEFAULT_TIMEOUT_MS = 5_000
const MAX_DOCUMENT_BYTES = 64 * 1024
const MAX_TEXT_LENGTH = 200

/**
 * Fetches a relay's NIP-11 document by one bounded GET: at most 64 KiB within the timeout, without redirects. Never
 * rejects: on failure it sets `documentError`, and keeps the clock offset if a whole response had a `Date`.
 */
export async function fetchRelayDocument(relayUrl: string, options: DocumentOptions): Promise<Profile> {
  let clock: Pick<Profile, 'clockOffsetSeconds'> = {}
  try {
    const response = await get(relayUrl, options)
    clock = present('clockOffsetSeconds', clockOffsetSeconds(response.date, options.now()))
    const document = readDocument(response)
    return typeof document === 'string'
      ? withoutDocument(document, clock)
      : { ...parseRelayDocument(document), ...clock }
  } catch (error) {
    return withoutDocument(reasonOf(error), clock)
  }
}

/**
 * Parses the fields of a NIP-11 document that we use. Each is checked alone; one of the wrong type counts as absent.
 */
export function parseRelayDocument(document: Json): Profile {
  const limitation = isRecord(document['limitation']) ? document['limitation'] : {}
  return {
    ...present('name', textOf(document['name'])),
    ...present('software', textOf(document['software'])),
    ...present('version', textOf(document['version'])),
    ...present('pubkey', textOf(document['pubkey'])),
    ...present('self', textOf(document['self'])),
    supportedNips: listOf(document['supported_nips'], countOf),
    supportedGrasps: listOf(document['supported_grasps'], textOf),
    ...present('maxMessageBytes', countOf(limitation['max_message_length'])),
    ...present('maxSubscriptions', countOf(limitation['max_subscriptions'])),
    ...present('maxLimit', countOf(limitation['max_limit'])),
    ...(limitation['auth_required'] === true && { requiresAuth: true as const }),
  }
}

function get(relayUrl: string, { signal, timeoutMs = DEFAULT_TIMEOUT_MS, lookup }: DocumentOptions): Promise<Got> {
  return boundedGet(relayUrl.replace(/^ws/, 'http'), {
    accept: 'application/nostr+json',
    maxBytes: MAX_DOCUMENT_BYTES,
    timeoutMs,
    signal,
    lookup,
  })
}

/** The document, or a string saying what is wrong with it. */
function readDocument({ status, body }: Got): Json | string {
  if (status >= 300 && status < 400) return `redirect not followed (HTTP ${status})`
  if (status !== 200) return `HTTP ${status}`
  if (body === undefined) return `larger than ${MAX_DOCUMENT_BYTES} bytes`
  const document = parseJson(body)
  return isRecord(document) ? document : 'not a JSON object'
}

function withoutDocument(documentError: string, clock: Pick<Profile, 'clockOffsetSeconds'>): Profile {
  return { supportedNips: [], supportedGrasps: [], ...clock, documentError }
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
