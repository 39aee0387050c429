import { NOTHING_COMPARED } from './check/find-missing.ts'
import { layersOf, layerVersions } from './checkpoint/layers.ts'
import type { SincePolicy } from './checkpoint/plan.ts'
import type { LayerName } from './layer-name.ts'
import { relayNames } from './nostr/vanish.ts'
import { Aftermath } from './relay/aftermath.ts'
import { createPeer, softwareOf, type Peer } from './relay/peer.ts'
import { isEarlyGrasp } from './relay/software.ts'
import { isWindowed, type RunOptions } from './report/run-options.ts'
import { gitTargetOf } from './repair/git-target.ts'
import { Fate } from './run/fate.ts'
import { DifferenceTally } from './run/difference-tally.ts'
import { Ledger } from './run/ledger.ts'
import { connectSources, openSources } from './run/open-sources.ts'
import { SourceLog } from './run/source-log.ts'
import { TargetGaps } from './run/target-gaps.ts'
import { WitnessLog } from './run/witness-log.ts'
import type { World } from './run/world.ts'
import { Catalog } from './scope/catalog.ts'
import { chooseScope, hostOfPullRequests, possibleHost, type ScopeChoice } from './scope/scope-choice.ts'
import type { ScopedRun } from './scope/scoped-run.ts'
import type { TargetState } from './store/target-state.ts'
import type { UnixSeconds } from './time.ts'

/**
 * Opens target and sources, relays all at once, decides the scope, and loads what earlier runs left. Throws SyncError
 * when the target is unreachable, UsageError when git data is asked of one that has none.
 */
export async function openRun(options: RunOptions, world: World): Promise<ScopedRun> {
  const opening = connectSources(world.sources)
  const target = createPeer(world.target, await world.target.open())
  const startedAt = world.clock()
  const software = softwareOf(target.profile)
  const choice = chooseRunScope(options, target, world.state)
  // Before anything is read or sent: wrong usage is no run.
  if (options.git !== undefined) gitTargetOf(target, options)
  const layers = layersOf({ followUps: options.followUps, host: possibleHost(choice.scope, target.profile) })
  const names = layers.map(({ name }) => name)
  const ledger = new Ledger(names)
  const fate = new Fate({ state: world.state, ledger, now: startedAt, software, tell: world.tell })
  const number = beginRun(options, choice, world.state, fate, startedAt)
  const catalog = openCatalog(options, choice, target, world.state, startedAt)
  const logs = startLogs(world, names)
  return {
    ...{ options, world, number, startedAt, layers, choice, catalog, ledger, fate, logs },
    policy: createPolicy(options, startedAt),
    target,
    targetAside: new Aftermath(),
    targetNames: relayNames(target.endpoint.url, options.service),
    software,
    sources: await openSources(opening, world.sources, { logs, options }),
    witnesses: new WitnessLog(),
    differences: new DifferenceTally(),
    targetGaps: new TargetGaps(),
    check: options.command === 'check' ? NOTHING_COMPARED : null,
    git: null,
    repairs: new Map(),
    wasCutShort: false,
  }
}

function startLogs({ sources }: World, names: readonly LayerName[]): Map<string, SourceLog> {
  return new Map(sources.map(({ url }) => [url, new SourceLog(url, names)]))
}

function beginRun(
  { command }: RunOptions,
  { scope }: ScopeChoice,
  state: TargetState,
  fate: Fate,
  startedAt: number,
): number {
  const number = state.runs.begin(command, startedAt)
  if (command !== 'retry') state.runs.setScope(number, scope.type)
  fate.recover('the run before ended first')
  // Checkpoints of both kinds of run stay: a run without follow-ups believes either.
  state.prune({ now: startedAt, versions: layerVersions({ followUps: false }) })
  return number
}

function openCatalog(
  { followUps, command, shard }: RunOptions,
  { scope }: ScopeChoice,
  { profile }: Peer,
  state: TargetState,
  now: UnixSeconds,
): Catalog {
  const rule = isEarlyGrasp(profile) ? 'early' : 'today'
  const catalog = new Catalog(state, scope, { followUps, rule, host: hostOfPullRequests(scope, profile), now, shard })
  if (command === 'retry') catalog.recallForRetry()
  else catalog.recall()
  return catalog
}

function chooseRunScope(options: RunOptions, { endpoint, profile }: Peer, { runs }: TargetState): ScopeChoice {
  const { scope, service } = options
  if (options.command === 'retry')
    return { scope: { type: 'all' }, why: 'what is parked was in scope when it was parked' }
  return chooseScope(scope, { url: endpoint.url, service, isFile: endpoint.kind === 'file', profile }, runs.lastScope())
}

function createPolicy(options: RunOptions, startedAt: number): SincePolicy {
  const { quickWindowSeconds, fullEverySeconds, overlapSeconds, since, until } = options
  const full = options.full || options.command === 'check'
  const windowOnly = isWindowed(options)
  return { startedAt, quickWindowSeconds, fullEverySeconds, overlapSeconds, full, since, until, windowOnly }
}
