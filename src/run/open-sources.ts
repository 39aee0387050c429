import { SyncError } from '../errors.ts'
import { Aftermath } from '../relay/aftermath.ts'
import type { Endpoint, Profile } from '../relay/endpoint.ts'
import { createPeer } from '../relay/peer.ts'
import type { RunOptions } from '../report/run-options.ts'
import type { SourceLog } from './source-log.ts'
import type { OpenSource } from './source.ts'

/** Relays that are being opened. What goes wrong is told to whoever opens the source. */
export type Opening = ReadonlyMap<Endpoint, Promise<Profile>>

/** Connects to the relays among the sources. Files are read later, when the run is known to begin. */
export function connectSources(endpoints: readonly Endpoint[]): Opening {
  const relays = endpoints.filter(({ kind }) => kind === 'relay')
  const opening = new Map(relays.map((relay) => [relay, relay.open()]))
  for (const profile of opening.values()) profile.catch(() => undefined)
  return opening
}

/** Opens the sources that have a log. The log of a source that cannot be reached says why. */
export async function openSources(
  opening: Opening,
  endpoints: readonly Endpoint[],
  { logs, options }: { logs: ReadonlyMap<string, SourceLog>; options: RunOptions },
): Promise<OpenSource[]> {
  const opened = await Promise.all(
    endpoints.map(async (endpoint) => {
      const log = logs.get(endpoint.url)
      const profile = (): Promise<Profile> => opening.get(endpoint) ?? endpoint.open()
      return log === undefined ? undefined : openSource({ endpoint, open: profile }, log, options)
    }),
  )
  return opened.flatMap((source) => source ?? [])
}

/** Opens one source; `undefined` when it cannot be reached, and its log says why. */
export async function openSource(
  { endpoint, open }: { endpoint: Endpoint; open: () => Promise<Profile> },
  log: SourceLog,
  { maxBytesPerSource: maxBytes }: RunOptions,
): Promise<OpenSource | undefined> {
  try {
    const peer = createPeer(endpoint, await open())
    return { peer, log, budget: { bytesLeft: maxBytes, maxBytes }, aside: new Aftermath() }
  } catch (error) {
    if (!(error instanceof SyncError)) throw error
    log.fail(error.message)
    return undefined
  }
}
