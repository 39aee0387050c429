import { tagValues, type NostrEvent } from './event.ts'
import { relayKey, relayWithoutQuery } from './host.ts'
import { KIND } from './kinds.ts'

const EVERY_RELAY = 'ALL_RELAYS'

/** By what requests to vanish (NIP-62) name one relay. */
export type RelayNames = ReadonlySet<string>

/** The names of a relay that has these URLs, `ws`, `wss`, `http` or `https`; what is none of these is passed over. */
export function relayNames(...urls: readonly (string | undefined)[]): RelayNames {
  return new Set(urls.flatMap((url) => (url === undefined ? [] : (nameOf(url) ?? []))))
}

/**
 * Up to which `created_at`, inclusive, the event asks the relay of these names to forget its author (NIP-62), deletions
 * included; `undefined` when it is no such request, or asks others.
 */
export function vanishesUntil(event: NostrEvent, names: RelayNames): number | undefined {
  if (event.kind !== KIND.vanishRequest) return undefined
  const isMeant = tagValues(event, 'relay').some((relay) => relay === EVERY_RELAY || names.has(nameOf(relay) ?? ''))
  return isMeant ? event.created_at : undefined
}

/** Host, port and path, whatever the scheme: a relay behind a proxy is reached by several. */
function nameOf(url: string): string | undefined {
  const normal = relayWithoutQuery(url.trim().replace(/^http/i, 'ws'))
  return normal === undefined ? undefined : relayKey(normal)
}
