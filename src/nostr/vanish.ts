import { tagValues, type NostrEvent } from './event.ts'
import { relayKey, relayWithoutQuery } from './host.ts'
import { KIND } from './kinds.ts'

const EVERY_RELAY = 'ALL_RELAYS'

/** The names under which requests to vanish (NIP-62) address one relay. */
export type RelayNames = ReadonlySet<string>

/** The names of a relay with these `ws`, `wss`, `http` or `https` URLs. Ignores any other URL. */
export function relayNames(...urls: readonly (string | undefined)[]): RelayNames {
  return new Set(urls.flatMap((url) => (url === undefined ? [] : (nameOf(url) ?? []))))
}

/**
 * The `created_at`, inclusive, up to which the event asks a relay with these names to forget its author, deletions
 * included (NIP-62). `undefined` when it is not such a request or addresses other relays.
 */
export function vanishesUntil(event: NostrEvent, names: RelayNames): number | undefined {
  if (event.kind !== KIND.vanishRequest) return undefined
  const isMeant = tagValues(event, 'relay').some((relay) => relay === EVERY_RELAY || names.has(nameOf(relay) ?? ''))
  return isMeant ? event.created_at : undefined
}

/** Host, port and path without the scheme: a relay behind a proxy may be reached by several. */
function nameOf(url: string): string | undefined {
  const normal = relayWithoutQuery(url.trim().replace(/^http/i, 'ws'))
  return normal === undefined ? undefined : relayKey(normal)
}
