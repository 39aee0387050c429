import { tagValues, type NostrEvent } from './event.ts'
import { isAddressable, isReplaceable, MAX_KIND } from './kinds.ts'

/** The coordinate of an addressable event, `<kind>:<pubkey>:<d>` (NIP-01). `d` may contain `:` and may be empty. */
export type Address = { readonly kind: number; readonly pubkey: string; readonly d: string }

/**
 * The address in `text`, split at the first two colons only; `undefined` when the kind or the public key is malformed.
 */
export function parseAddress(text: string): Address | undefined {
  const match = /^(0|[1-9]\d{0,4}):([0-9a-f]{64}):(.*)$/s.exec(text)
  if (match === null) return undefined
  const [, digits, pubkey, d] = match
  const kind = Number(digits)
  return pubkey === undefined || d === undefined || kind > MAX_KIND ? undefined : { kind, pubkey, d }
}

/** The address as written in tags. */
export function formatAddress({ kind, pubkey, d }: Address): string {
  return `${kind}:${pubkey}:${d}`
}

/** The address at which newer versions replace this event; `undefined` for regular events. */
export function addressOf(event: Pick<NostrEvent, 'kind' | 'pubkey' | 'tags'>): string | undefined {
  if (isReplaceable(event.kind)) return formatAddress({ kind: event.kind, pubkey: event.pubkey, d: '' })
  if (!isAddressable(event.kind)) return undefined
  return formatAddress({ kind: event.kind, pubkey: event.pubkey, d: tagValues(event, 'd')[0] ?? '' })
}

/** Whether version `a` beats version `b` of one address: newer, or equally old with the lower id (NIP-01). */
export function isNewerVersion(
  a: Pick<NostrEvent, 'created_at' | 'id'>,
  b: Pick<NostrEvent, 'created_at' | 'id'>,
): boolean {
  return a.created_at > b.created_at || (a.created_at === b.created_at && a.id < b.id)
}
