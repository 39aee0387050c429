import { hash } from 'node:crypto'
import { MAX_KIND } from './kinds.ts'

/**
 * A signed event as NIP-01 defines it: 32-byte `id` and `pubkey` and 64-byte `sig` in lower-case hex, `created_at` in
 * Unix seconds.
 */
export type NostrEvent = {
  readonly id: string
  readonly pubkey: string
  readonly created_at: number
  readonly kind: number
  readonly tags: readonly (readonly string[])[]
  readonly content: string
  readonly sig: string
}

const HEX_32 = /^[0-9a-f]{64}$/
const HEX_64 = /^[0-9a-f]{128}$/

/** Whether the text is a 32-byte value in lower-case hex: an event id or a public key. */
export function isHex32(text: unknown): text is string {
  return typeof text === 'string' && HEX_32.test(text)
}

/**
 * Returns the event in `value` with exactly the seven fields of NIP-01, or `undefined` when its shape is wrong. Checks
 * neither id nor signature.
 */
export function parseEvent(value: unknown): NostrEvent | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { id, pubkey, created_at, kind, tags, content, sig } = value as Record<string, unknown>
  if (!isHex32(id) || !isHex32(pubkey) || typeof sig !== 'string' || !HEX_64.test(sig)) return undefined
  if (!isCount(created_at) || !isCount(kind) || kind > MAX_KIND) return undefined
  if (typeof content !== 'string' || !isTags(tags)) return undefined
  return { id, pubkey, created_at, kind, tags, content, sig }
}

/** The position of a row in a relay's order. `second` is a safe integer and may be negative. */
export type Stamp = { readonly id: string; readonly second: number }

/**
 * The stamp of any row with an id and a date. A relay may store rows that are not valid events (kind or time out of
 * range); the rows below them must still be read, so no author can block the way.
 */
export function parseStamp(value: unknown): Stamp | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { id, created_at } = value as Record<string, unknown>
  if (!isHex32(id) || typeof created_at !== 'number') return undefined
  const { MIN_SAFE_INTEGER, MAX_SAFE_INTEGER } = Number
  return { id, second: Math.max(MIN_SAFE_INTEGER, Math.min(MAX_SAFE_INTEGER, Math.floor(created_at))) }
}

/** The correct id of the event: SHA-256 over the serialisation of NIP-01, in hex. */
export function computeEventId(event: NostrEvent): string {
  const serialized = JSON.stringify([0, event.pubkey, event.created_at, event.kind, event.tags, event.content])
  return hash('sha256', serialized, 'hex')
}

/** The values (second element) of every tag with this name. */
export function tagValues(event: Pick<NostrEvent, 'tags'>, name: string): string[] {
  const values: string[] = []
  for (const [first, value] of event.tags) if (first === name && value !== undefined) values.push(value)
  return values
}

/** When the event expires (NIP-40), in Unix seconds; `undefined` without a usable `expiration` tag. */
export function expirationOf(event: NostrEvent): number | undefined {
  const text = tagValues(event, 'expiration')[0]
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

/** Whether the event has expired at `now`, in Unix seconds (NIP-40). */
export function isExpired(event: NostrEvent, now: number): boolean {
  return (expirationOf(event) ?? Infinity) <= now
}

/** Whether only its author may publish it (NIP-70). */
export function isProtected(event: NostrEvent): boolean {
  return event.tags.some((tag) => tag[0] === '-')
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function isTags(value: unknown): value is string[][] {
  return (
    Array.isArray(value) && value.every((tag) => Array.isArray(tag) && tag.every((part) => typeof part === 'string'))
  )
}
