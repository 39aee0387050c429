import { Discovery } from '../discover/discovery.ts'
import { createDistrust, distrustClock, distrustSource } from '../trust/void-checkpoints.ts'
import { SyncError } from '../errors.ts'
import type { OpenSource } from '../run/source.ts'
import type { Endpoint, Profile } from '../relay/endpoint.ts'
import { Aftermath } from '../relay/aftermath.ts'
import { createPeer } from '../relay/peer.ts'
import type { LayerName } from '../layer-name.ts'
import type { RunOptions } from '../report/run-options.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import { SourceLog } from '../run/source-log.ts'

type Opening = Pick<
  ScopedRun,
  'options' | 'world' | 'startedAt' | 'target' | 'fate' | 'knowledge' | 'ledger' | 'logs' | 'choice' | 'sources'
>

/** Opens the sources that the operator named; the logs of the others say why they cannot be reached. */
export async function openSources(endpoints: readonly Endpoint[], { logs, options }: Opening): Promise<OpenSource[]> {
  const opened = await Promise.all(
    endpoints.map(async (endpoint) => {
      const log = logs.get(endpoint.url)
      return log === undefined ? undefined : openSource(endpoint, log, options)
    }),
  )
  return opened.flatMap((source) => source ?? [])
}

/** `undefined` when it cannot be reached, which its log says then. */
async function openSource(
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

/** What discovery adds to while the run goes on. */
type Growing = {
  readonly sources: OpenSource[]
  readonly logs: Map<string, SourceLog>
  readonly names: readonly LayerName[]
}

/** Discovery of further sources, where the operator wants it. */
export function createDiscovery(opening: Opening, growing: Growing): Discovery | undefined {
  const { options, world, target, knowledge } = opening
  if (options.discovery === undefined) return undefined
  return new Discovery({
    policy: options.discovery,
    gate: world.strangers,
    target,
    service: options.service,
    named: world.sources.filter(({ kind }) => kind === 'relay').map(({ url }) => url),
    sources: growing.sources,
    state: world.state,
    knowledge,
    open: (endpoint, isTarget) => openStranger(endpoint, isTarget, opening, growing),
  })
}

/** Opens a source that was discovered, and looks whether its checkpoints may be believed, as for any other. */
async function openStranger(
  endpoint: Endpoint,
  isTarget: (profile: Profile) => boolean,
  opening: Opening,
  { logs, names }: Growing,
): Promise<OpenSource | 'target' | undefined> {
  const log = new SourceLog(endpoint.url, names, { isDiscovered: true })
  const source = await openSource(endpoint, log, opening.options)
  if (source !== undefined && isTarget(source.peer.profile)) return 'target'
  logs.set(endpoint.url, log)
  if (source === undefined) return undefined
  const context = createDistrust(opening)
  await distrustSource(source, context)
  distrustClock(source.peer, context)
  return source
}
