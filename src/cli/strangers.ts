import type { LookupFunction } from 'node:net'
import type { StrangersGate } from '../run/world.ts'
import { pause } from '../relay/pace/backoff.ts'
import type { Endpoint } from '../relay/endpoint.ts'
import { createLookup, guardResolver, resolveBySystem } from '../relay/socket/guarded-lookup.ts'

/** The inputs for connecting to relays named by announcements. */
export type StrangersOptions = {
  /** Connects to a relay without a key, using this lookup. */
  readonly connect: (url: string, lookup: LookupFunction) => Endpoint
  readonly signal: AbortSignal
  readonly lookupTimeoutMs: number
}

/** Returns access to relays named by announcements; close it at the end. */
export function createStrangers(options: StrangersOptions): StrangersGate & { close(): Promise<void> } {
  const opened: Endpoint[] = []
  return {
    addressesOf: (url) => addressesOf(url, options),
    open(url, isAllowed) {
      const endpoint = options.connect(url, createLookup(guardResolver(resolveBySystem, isAllowed)))
      opened.push(endpoint)
      return endpoint
    },
    async close() {
      await Promise.all(opened.map((endpoint) => endpoint.close()))
    },
  }
}

/** Returns no addresses if the name cannot be resolved; dialling then reports the reason. */
async function addressesOf(url: string, { signal, lookupTimeoutMs }: StrangersOptions): Promise<readonly string[]> {
  const resolve = guardResolver(resolveBySystem, () => true)
  const found = resolve(new URL(url).hostname).catch(() => [])
  const waiting = new AbortController()
  const timeout = pause(lookupTimeoutMs, AbortSignal.any([signal, waiting.signal]))
  const addresses = await Promise.race([found, timeout])
  waiting.abort()
  return (addresses ?? []).map(({ address }) => address)
}
