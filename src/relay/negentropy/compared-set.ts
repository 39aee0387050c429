import type { Filter } from '../../nostr/filter.ts'
import type { Aftermath } from '../aftermath.ts'
import type { Endpoint, Profile } from '../endpoint.ts'
import type { IdSet } from './id-set.ts'
import { LocalResponder, type Window } from './local-responder.ts'
import type { NegentropySession } from './negentropy-session.ts'
import type { NegentropySupport } from './negentropy-support.ts'
import { RemoteResponder } from './remote-responder.ts'
import type { Responder } from './responder.ts'
import type { SessionPlace } from './session-place.ts'

/** One of the two sets of a comparison, of which a window of time can be opened. */
export type ComparedSet = {
  open(window: Window): Responder
  /** The set broke the protocol: it must not be compared again in this run. */
  distrust(reason: string): void
}

/** A relay as far as a comparison needs it; a `Peer` with what is known of its NIP-77. */
export type NegentropyPeer = {
  readonly endpoint: Endpoint
  readonly profile: Profile
  readonly support: NegentropySupport
}

type NegentropyEndpoint = Endpoint & {
  openNegentropy(filter: Filter, idleTimeoutMs?: number, place?: SessionPlace, aftermath?: Aftermath): NegentropySession
}

/**
 * What matches the filter at a relay; `undefined` when NIP-77 cannot be tried, or has failed before. `aftermath` is
 * told what follows the end of its sessions.
 */
export function createRelaySet(
  { endpoint, profile, support }: NegentropyPeer,
  filter: Filter,
  aftermath?: Aftermath,
): ComparedSet | undefined {
  if (!canNegotiate(endpoint) || support.refusal !== undefined) return undefined
  const { maxMessageBytes } = profile
  return {
    open: (window) =>
      new RemoteResponder({
        filter: withWindow(filter, window),
        open: (opened, idleTimeoutMs, place) => endpoint.openNegentropy(opened, idleTimeoutMs, place, aftermath),
        support,
        ...(maxMessageBytes !== undefined && { maxFrameBytes: maxMessageBytes }),
      }),
    distrust: (reason) => support.refuse(reason),
  }
}

/** What is known here: the ids of a file, or of what a relay without NIP-77 brought page by page. */
export function createLocalSet(ids: IdSet): ComparedSet {
  return {
    open: (window) => new LocalResponder(ids, window),
    distrust: (reason) => {
      throw new Error(`compare local ids: ${reason}`)
    },
  }
}

/** The filter within a window that lies inside the window of the filter. */
export function withWindow(filter: Filter, { since, until }: Window): Filter {
  return { ...filter, ...(since !== undefined && { since }), ...(until !== undefined && { until }) }
}

function canNegotiate(endpoint: Endpoint): endpoint is NegentropyEndpoint {
  return 'openNegentropy' in endpoint
}
