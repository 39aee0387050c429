import { SyncError } from '../errors.ts'
import { Aftermath } from '../relay/aftermath.ts'
import type { Endpoint } from '../relay/endpoint.ts'
import { createPeer } from '../relay/peer.ts'
import type { RunOptions } from '../report/run-options.ts'
import type { SourceLog } from './source-log.ts'
import type { OpenSource } from './source.ts'

/** Opens the sources that have a log. The log of a source that cannot be reached says why. */
export async function openSources(
  endpoints: readonly Endpoint[],
  logs: ReadonlyMap<string, SourceLog>,
  options: RunOptions,
): Promise<OpenSource[]> {
  const opened = await Promise.all(
    endpoints.map(async (endpoint) => {
      const log = logs.get(endpoint.url)
      return log === undefined ? undefined : openSource(endpoint, log, options)
    }),
  )
  return opened.flatMap((source) => source ?? [])
}

/** Opens one source; `undefined` when it cannot be reached, and its log says why. */
export async function openSource(
  endpoint: Endpoint,
  log: SourceLog,
  { maxBytesPerSource: maxBytes }: RunOptions,
): Promise<OpenSource | undefined> {
  try {
    const peer = createPeer(endpoint, await endpoint.open())
    return { peer, log, budget: { bytesLeft: maxBytes, maxBytes }, aside: new Aftermath() }
  } catch (error) {
    if (!(error instanceof SyncError)) throw error
    log.fail(error.message)
    return undefined
  }
}
