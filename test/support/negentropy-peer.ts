import type { Profile } from '../../src/relay/endpoint.ts'
import { NegentropySupport } from '../../src/relay/negentropy/negentropy-support.ts'
import type { WebSocketRelay } from '../../src/relay/websocket-relay.ts'
import { useRelay } from './ws-double.ts'

/**
 * A relay as a comparison uses it, of which nothing is known yet; its first answer may take 300 ms. Closed with the
 * test.
 */
export type TestPeer = {
  readonly endpoint: WebSocketRelay
  readonly profile: Profile
  readonly support: NegentropySupport
}

/** A connection to a relay at this URL. */
export function usePeer({ url }: { readonly url: string }, profile: Partial<Profile> = {}): TestPeer {
  return {
    endpoint: useRelay(url),
    profile: { supportedNips: [], supportedGrasps: [], ...profile },
    support: new NegentropySupport(300),
  }
}
