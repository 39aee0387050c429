import type { Filter } from '../../nostr/filter.ts'
import type { Aftermath } from '../aftermath.ts'
import type { Endpoint, Profile } from '../endpoint.ts'
import type { IdSet } from './id-set.ts'
import { LocalResponder, MESSAGE_BYTES, type Window } from './local-responder.ts'
import type { NegentropySession } from './negentropy-session.ts'
import type { NegentropySupport } from './negentropy-support.ts'
import { RemoteResponder } from './remote-responder.ts'
import type { Responder } from './responder.ts'
import type { SessionPlace } from './session-place.ts'

/** One side of a comparison; `open` restricts it to a window of time. */
export type ComparedSet = {
  open(window: Window): Responder
  /** The set broke the protocol and must not be compared again in this run. */
  distrust(reason: string): void
}

/** The part of a relay that a comparison needs: a `Peer` and its NIP-77 support. */
export type NegentropyPeer = {
  readonly endpoint: Endpoint
  readonly profile: Profile
  readonly support: NegentropySupport
}

type NegentropyEndpoint = Endpoint & {
  openNegentropy(filter: Filter, idleTimeoutMs?: number, place?: SessionPlace, aftermath?: Aftermath): NegentropySession
}

/**
 * The events at a relay that match the filter; `undefined` when NIP-77 cannot be tried or has failed before.
 * `aftermath` is told what follows the end of its sessions.
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

/** A set known locally: the ids of a file, or of a relay without NIP-77 that was read in pages. */
export function createLocalSet(ids: IdSet): ComparedSet {
  return {
    open: (window) => new LocalResponder(ids, window),
    distrust: distrustOurs,
  }
}

function distrustOurs(reason: string): never {
  throw new Error(`compare local ids: ${reason}`)
}

/** A local set that is complete only later; whoever asks before waits for it. */
export function createLaterSet(ids: Promise<IdSet>): ComparedSet {
  // Whoever asks gets the error.
  ids.catch(() => undefined)
  const open = (window: Window): Responder => ({
    maxMessageBytes: MESSAGE_BYTES,
    traffic: { sent: 0, received: 0 },
    ask: async (ranges) => new LocalResponder(await ids, window).ask(ranges),
    close: () => undefined,
  })
  return { open, distrust: distrustOurs }
}

/** The same set in sessions of one message each, so that none is open while the other side takes its time. */
export function inShortSessions({ open, distrust }: ComparedSet): ComparedSet {
  return {
    distrust,
    open: (window) => {
      const responder = open(window)
      return {
        maxMessageBytes: responder.maxMessageBytes,
        traffic: responder.traffic,
        ask: (ranges) => responder.ask(ranges).finally(() => responder.close()),
        close: () => responder.close(),
      }
    },
  }
}

/** Restricts the filter to a window that lies inside the window of the filter. */
export function withWindow(filter: Filter, { since, until }: Window): Filter {
  return { ...filter, ...(since !== undefined && { since }), ...(until !== undefined && { until }) }
}

function canNegotiate(endpoint: Endpoint): endpoint is NegentropyEndpoint {
  return 'openNegentropy' in endpoint
}
