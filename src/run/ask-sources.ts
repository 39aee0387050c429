import { LostRelayError, reasonOf } from '../errors.ts'
import type { NostrEvent } from '../nostr/event.ts'
import { hearPeer, type Peer } from '../relay/peer.ts'
import type { OnGap } from '../relay/read-through.ts'
import { withinBudget } from './budget.ts'
import type { Run } from './run.ts'
import type { OpenSource } from './source.ts'

/** A source, with a test for the events that it may be asked about; undefined: all events. */
export type AskedPeer = Peer & { readonly isAskedAbout: ((event: NostrEvent) => boolean) | undefined }

/** The part of a run that asking sources beside the layers needs. */
export type AskingRun = Pick<Run, 'sources' | 'logs' | 'world'>

/** Asks one source about some events; calls `onGap` when the source may hide something. */
type Asking = (source: Peer, events: readonly NostrEvent[], onGap: OnGap) => Promise<void>

/** The sources that still answer, each within its budget. */
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

/** Returns the target for questions beside the layers: `targetAside` notices answers that it takes back later. */
export function askedTarget({ target, targetAside }: Pick<Run, 'target' | 'targetAside'>): Peer {
  return hearPeer(target, targetAside)
}

/**
 * Asks every source about the events that it may be asked about. A source that may hide something was not read to its
 * end; one that stops answering moves no checkpoint either.
 */
export async function askSources(run: AskingRun, events: readonly NostrEvent[], ask: Asking): Promise<void> {
  const asking = askedPeers(run.sources).map(async (source) => {
    const { isAskedAbout = () => true, endpoint } = source
    const about = events.filter(isAskedAbout)
    if (about.length === 0) return
    try {
      await ask(source, about, (reason) => run.logs.get(endpoint.url)?.fail(reason))
    } catch (error) {
      if (!(error instanceof LostRelayError)) throw error
      failSource(source, error, run)
    }
  })
  await Promise.all(asking)
}

/** Notes that a source did not answer: it was not read to its end, and none of its checkpoints moves. */
export function failSource({ endpoint }: Peer, error: LostRelayError, { logs, world }: AskingRun): void {
  logs.get(endpoint.url)?.fail(reasonOf(error))
  world.state.checkpoints.noteAllOpen(endpoint.url)
}
