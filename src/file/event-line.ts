import { isUtf8 } from 'node:buffer'
import { parseEvent, type NostrEvent } from '../nostr/event.ts'

/** The content of one line of a JSONL file. */
type ParsedLine =
  | { readonly type: 'event'; readonly event: NostrEvent }
  | { readonly type: 'blank' }
  | { readonly type: 'broken'; readonly reason: string }

/** Parses a line: an event as written by strfry, nak and nosdump, or the `["EVENT", …]` message around one. */
export function parseEventLine(bytes: Buffer): ParsedLine {
  if (!isUtf8(bytes)) return { type: 'broken', reason: 'not valid UTF-8' }
  // trim() also removes the byte order mark and the CR of a CRLF.
  const text = bytes.toString('utf8').trim()
  if (text === '') return { type: 'blank' }
  const value = parseJson(text)
  if (value === undefined) return { type: 'broken', reason: 'not valid JSON' }
  const event = parseEvent(unwrapMessage(value))
  return event === undefined ? { type: 'broken', reason: 'not an event (NIP-01)' } : { type: 'event', event }
}

/**
 * The event as one line of JSON without a line end. The seven fields come in a fixed order, so equal events give equal
 * text.
 */
export function formatEventLine({ id, pubkey, created_at, kind, tags, content, sig }: NostrEvent): string {
  return JSON.stringify({ id, pubkey, created_at, kind, tags, content, sig })
}

/** `undefined` means text that is not JSON; JSON itself never parses to it. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function unwrapMessage(value: unknown): unknown {
  const isMessage = Array.isArray(value) && value[0] === 'EVENT' && (value.length === 2 || value.length === 3)
  return isMessage ? value.at(-1) : value
}
