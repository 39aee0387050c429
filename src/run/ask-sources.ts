import { LostRelayError } from '../errors.ts'
import { withinBudget } from './budget.ts'
import type { NostrEvent } from '../nostr/event.ts'
import type { OpenSource } from './source.ts'
import type { OnGap } from '../relay/holdings.ts'
import type { Peer } from '../relay/peer.ts'

/** A source, and about which events it may be asked; absent: about all. */
export type AskedPeer = Peer & { readonly isAskedAbout: ((event: NostrEvent) => boolean) | undefined }

/**
 * The sources that can be asked. `sourceFailed`: one did not answer, so it was not read to its end. `onSourceGap`: it
 * may hide something although it answers; all that was read of it stands.
 */
export type AskedSources = {
  readonly peers: readonly AskedPeer[]
  readonly sourceFailed: (source: Peer, error: unknown) => void
  readonly onSourceGap: (source: Peer, reason: string) => void
}

/** A source that is asked, what it is asked about, and whom to tell that it may hide something. */
type Asking = (source: Peer, events: readonly NostrEvent[], onGap: OnGap) => Promise<void>

/**
 * The sources as they are asked beside their layers: within the same budget. One that was given up is not asked any
 * more.
 */
export function askedPeers(sources: readonly OpenSource[]): AskedPeer[] {
  const answering = sources.filter(
    ({ peer: { endpoint } }) => endpoint.kind === 'file' || endpoint.givenUp() === undefined,
  )
  return answering.map(({ peer, budget, narrowing, aside }) => ({
    ...peer,
    endpoint: withinBudget(peer.endpoint, budget, aside),
    isAskedAbout: narrowing?.isAskedAbout,
  }))
}

/** Asks every source about those of the events that it may be asked about. */
export async function askSources(
  { peers, sourceFailed, onSourceGap }: AskedSources,
  events: readonly NostrEvent[],
  ask: Asking,
): Promise<void> {
  const asking = peers.map(async (source) => {
    const { isAskedAbout = () => true } = source
    const about = events.filter(isAskedAbout)
    if (about.length === 0) return
    try {
      await ask(source, about, (reason) => onSourceGap(source, reason))
    } catch (error) {
      if (!(error instanceof LostRelayError)) throw error
      sourceFailed(source, error)
    }
  })
  await Promise.all(asking)
}
