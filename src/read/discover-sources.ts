import { Discovery } from '../discover/discovery.ts'
import type { Endpoint, Profile } from '../relay/endpoint.ts'
import { openSource } from '../run/open-sources.ts'
import { SourceLog } from '../run/source-log.ts'
import type { OpenSource } from '../run/source.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import { distrustClock, distrustSource } from '../trust/void-checkpoints.ts'

/** Returns the discovery of further sources; `undefined` when the operator did not ask for it. */
export function createDiscovery(run: ScopedRun): Discovery | undefined {
  const { discovery: policy } = run.options
  if (policy === undefined) return undefined
  return new Discovery(run, policy, (endpoint, isTarget) => openStranger(endpoint, isTarget, run))
}

/** Opens a discovered source and, as for any other, checks whether its checkpoints may be believed. */
async function openStranger(
  endpoint: Endpoint,
  isTarget: (profile: Profile) => boolean,
  run: ScopedRun,
): Promise<OpenSource | 'target' | undefined> {
  const names = run.layers.map(({ name }) => name)
  const log = new SourceLog(endpoint.url, names, { isDiscovered: true })
  const source = await openSource({ endpoint, open: () => endpoint.open() }, log, run.options)
  if (source !== undefined && isTarget(source.peer.profile)) return 'target'
  run.logs.set(endpoint.url, log)
  if (source === undefined) return undefined
  await distrustSource(source, run)
  distrustClock(source.peer, run)
  return source
}
