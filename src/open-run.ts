import { askedPeers } from './run/ask-sources.ts'
import { HeldTally, NOTHING_COMPARED } from './check/find-missing.ts'
import { compareRequest, readSecond } from './read/compare-request.ts'
import type { Discovery } from './discover/discovery.ts'
import { createDistrust, distrustLosses } from './trust/void-checkpoints.ts'
import { reasonOf } from './errors.ts'
import { Fate } from './run/fate.ts'
import { isWithin, type IntakeContext } from './receive/take-in.ts'
import { Knowledge } from './scope/knowledge.ts'
import { layersOf, layerVersions, type Layer } from './checkpoint/layers.ts'
import { Ledger } from './run/ledger.ts'
import { createDiscovery, openSources } from './read/open-sources.ts'
import { relayNames } from './nostr/vanish.ts'
import { findNarrow } from './read/narrowness.ts'
import type { SincePolicy } from './checkpoint/plan.ts'
import type { OpenSource } from './run/source.ts'
import type { ReadingContext } from './read/reading.ts'
import { Aftermath } from './relay/aftermath.ts'
import { createPeer, hearPeer, softwareOf, type Peer } from './relay/peer.ts'
import { isEarlyGrasp } from './relay/software.ts'
import type { SelectContext } from './select/select.ts'
import { reviseAnnouncements } from './select/revise-announcements.ts'
import type { LayerName } from './layer-name.ts'
import { isWindowed, type RunOptions } from './report/run-options.ts'
import type { ScopedRun } from './scope/scoped-run.ts'
import type { World } from './run/world.ts'
import { chooseScope, hostOfPullRequests, possibleHost, type ScopeChoice } from './scope/scope-choice.ts'
import { SourceLog } from './run/source-log.ts'
import type { TargetState } from './store/target-state.ts'
import { createTargetReader } from './read/target-anchors.ts'
import { TargetGaps } from './run/target-gaps.ts'
import type { UnixSeconds } from './time.ts'
import { WitnessLog } from './run/witness-log.ts'

/** A run with what its chapters work with. */
export type OpenedRun = ScopedRun & {
  readonly witnesses: WitnessLog
  readonly held: HeldTally
  readonly reading: ReadingContext
  readonly selecting: SelectContext
  /** With `--discover`. */
  readonly discovery: Discovery | undefined
}

/** A run without what is made of its parts. */
type RunParts = Omit<OpenedRun, 'discovery' | 'reading' | 'selecting' | 'check' | 'wasCutShort'>

/**
 * Opens target and sources, decides the scope, and loads what earlier runs left. Throws SyncError when the target is
 * unreachable.
 */
export async function openRun(options: RunOptions, world: World): Promise<OpenedRun> {
  const target = createPeer(world.target, await world.target.open())
  const startedAt = world.clock()
  const choice = chooseRunScope(options, target, world.state)
  const host = possibleHost(choice.scope, target.profile)
  const layers = layersOf({ followUps: options.followUps, host })
  const names = layers.map(({ name }) => name)
  const logs = new Map(world.sources.map(({ url }) => [url, new SourceLog(url, names)]))
  const ledger = new Ledger(names)
  const fate = new Fate({ state: world.state, ledger, now: startedAt, software: softwareOf(target.profile) })
  const number = beginRun(options, choice, world.state, fate, startedAt)
  const sources: OpenSource[] = []
  const parts: RunParts = {
    options,
    world,
    number,
    startedAt,
    target,
    targetAside: new Aftermath(),
    software: softwareOf(target.profile),
    choice,
    sources,
    logs,
    knowledge: recallKnowledge(options, choice, target, world.state, startedAt),
    ledger,
    fate,
    witnesses: new WitnessLog(),
    held: new HeldTally(),
    targetGaps: new TargetGaps(),
  }
  sources.push(...(await openSources(world.sources, parts)))
  const discovery = createDiscovery(parts, { sources, logs, names })
  const reading = createReading(layers, parts, discovery)
  const check = options.command === 'check' ? NOTHING_COMPARED : null
  return { ...parts, discovery, reading, selecting: createSelection(reading, parts), check, wasCutShort: false }
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
  // A run without follow-ups believes what either kind of run has written.
  state.prune({ now: startedAt, versions: layerVersions({ followUps: false }) })
  return number
}

function recallKnowledge(
  { followUps, command }: RunOptions,
  { scope }: ScopeChoice,
  { profile }: Peer,
  state: TargetState,
  now: UnixSeconds,
): Knowledge {
  const rule = isEarlyGrasp(profile) ? 'early' : 'today'
  const knowledge = new Knowledge(state, scope, { followUps, rule, host: hostOfPullRequests(scope, profile), now })
  if (command === 'retry') knowledge.recallForRetry()
  else knowledge.recall()
  return knowledge
}

function createReading(layers: readonly Layer[], parts: RunParts, discovery: Discovery | undefined): ReadingContext {
  const { options, world, sources, knowledge } = parts
  const intake = createIntake(parts)
  const policy = createPolicy(options, parts.startedAt)
  return {
    ...intake,
    layers,
    sources,
    knowledge,
    policy,
    onProgress: world.progress.fetched,
    ...createReaders(intake, policy, parts),
    discover: async () => (await discovery?.follow()) ?? [],
    revise: () => reviseAnnouncements(knowledge, createSelection(intake, parts)),
    findNarrow: () => findNarrow({ sources, knowledge, state: world.state }),
  }
}

function createIntake(parts: RunParts): IntakeContext {
  const { options, world, target, startedAt, software, knowledge, ledger, fate, witnesses, held } = parts
  const window = isWindowed(options) ? { since: options.since, until: options.until } : undefined
  return {
    target,
    state: world.state,
    verifier: world.verifier,
    ledger,
    fate,
    now: startedAt,
    deletions: options.deletions,
    targetNames: relayNames(target.endpoint.url, options.service),
    learn: (layer, event) => knowledge.learn(layer, event, false),
    countHeld: (layer, event) => {
      // Anchors are read whatever the window is: what lies outside was not asked about.
      if (window !== undefined && !isWithin(event, window)) return
      ledger.count(layer, 'held')
      if (options.command === 'check') held.add(layer, event.kind, knowledge.repositoryOf(event))
    },
    witness: (url, events, proof) => witnesses.add(url, events, proof),
    window,
    software,
    onTargetGap: (reason) => parts.targetGaps.note(reason),
  }
}

/** Peers and members are those of the moment: sources are given up, and members found, while the run goes on. */
function createSelection(intake: IntakeContext, parts: RunParts): SelectContext {
  const { choice, world, logs, knowledge, sources, target, targetAside } = parts
  return {
    ...intake,
    target: hearPeer(target, targetAside),
    scope: choice.scope,
    sourceFailed: (source, error) => failSource(source, error, logs, world.state),
    onSourceGap: ({ endpoint }, reason) => logs.get(endpoint.url)?.fail(reason),
    get peers() {
      return askedPeers(sources)
    },
    get members() {
      return knowledge.members()
    },
  }
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

/**
 * What reading does beside paging. With `--follow-ups` every event of layers 2 and 3 must be seen, so they are paged.
 */
function createReaders(
  intake: IntakeContext,
  policy: SincePolicy,
  parts: RunParts,
): Pick<ReadingContext, 'compare' | 'readSecond' | 'readTarget' | 'settleTarget'> {
  const { options, choice, knowledge, ledger } = parts
  const { target, state, verifier, now, witness, onTargetGap: onGap } = intake
  const compares = options.reconcile && policy.since === undefined && choice.scope.type !== 'named'
  const comparable: readonly LayerName[] = options.followUps
    ? ['announcements', 'follow-ups']
    : ['announcements', 'repositories', 'threads']
  const layers = new Set(options.reconcile ? comparable : [])
  const onContradiction = (url: string): void =>
    ledger.note(`What ${url} listed by NIP-77 is not borne out by what is served, so that was read in pages.`)
  const settings = { target, run: state.run, now, layers, verifier, onContradiction }
  const targetReader = createTargetReader({
    ...{ target, state, verifier, knowledge, now, compares, witness, onGap },
    reconciles: options.reconcile,
    followUps: options.followUps,
    onLost: (lost) => distrustLosses(lost, target, createDistrust(parts)),
  })
  return {
    compare: (source, request, reading) => compareRequest(source, request, reading, settings),
    readSecond: async (source, page, reading) => options.reconcile && readSecond(source, page, reading, now),
    readTarget: targetReader.read,
    settleTarget: targetReader.settle,
  }
}

function failSource(source: Peer, error: unknown, logs: ReadonlyMap<string, SourceLog>, state: TargetState): void {
  logs.get(source.endpoint.url)?.fail(reasonOf(error))
  state.checkpoints.noteAllOpen(source.endpoint.url)
}
