import { HeldTally } from './compare.ts'
import { compareRequest, readSecond } from './comparing.ts'
import { SyncError, reasonOf } from './errors.ts'
import { withinBudget } from './fetch.ts'
import { isWithin, type IntakeContext } from './intake.ts'
import { Knowledge } from './knowledge.ts'
import { layersOf } from './layers.ts'
import { Ledger } from './ledger.ts'
import type { NostrEvent } from './nostr/event.ts'
import type { Verifier } from './nostr/verifier.ts'
import type { SincePolicy } from './plan.ts'
import type { OpenSource, ReadingContext } from './reading.ts'
import type { Endpoint } from './relay/endpoint.ts'
import type { Pacer } from './relay/pacing.ts'
import { createPeer, softwareOf, type Peer } from './relay/peer.ts'
import type { CheckReport, LayerName } from './report.ts'
import type { RunOptions } from './run-options.ts'
import { chooseScope, type ScopeChoice } from './scope-choice.ts'
import type { SelectContext } from './select.ts'
import { SourceLog } from './source-log.ts'
import type { TargetState } from './store/target-state.ts'
import { createTargetReader } from './target-anchors.ts'
import type { Clock } from './time.ts'
import { WitnessLog } from './witness-log.ts'

/** What a person may watch while the run goes on. */
export type Progress = {
  fetched(layer: LayerName, source: string, events: number): void
  sending(sent: number, total: number): void
  /** Sending is about to take more than a minute. */
  longSending(forecast: { readonly events: number; readonly rate: string; readonly durationMs: number }): void
}

/** The outside world, handed in by `cli/main.ts`. */
export type World = {
  readonly target: Endpoint
  readonly sources: readonly Endpoint[]
  readonly state: TargetState
  readonly verifier: Verifier
  /** A pacer for the target, once it is known what it is. */
  readonly createPacer: (software: string | undefined) => Pacer
  readonly clock: Clock
  readonly nowMs: () => number
  readonly signal: AbortSignal
  /** Aborted with an OutOfTimeError: sources end, nothing more is sent. */
  readonly deadline: AbortSignal
  readonly progress: Progress
  /** `check`: takes each event that the target lacks. */
  readonly onMissing?: (event: NostrEvent) => Promise<void>
}

/** Everything that a run carries from stage to stage. */
export type Run = {
  readonly options: RunOptions
  readonly world: World
  readonly number: number
  readonly startedAt: number
  readonly target: Peer
  readonly software: string | undefined
  readonly choice: ScopeChoice
  readonly sources: readonly OpenSource[]
  /** Sources that could not be opened as well. */
  readonly logs: readonly SourceLog[]
  readonly knowledge: Knowledge
  readonly ledger: Ledger
  readonly witnesses: WitnessLog
  readonly held: HeldTally
  readonly reading: ReadingContext
  readonly selection: Omit<SelectContext, keyof IntakeContext | 'members'>
  /** What `check` found. */
  check: CheckReport | null
  /** The run ended before everything was selected: nothing may move. */
  wasCutShort: boolean
}

/** Opens target and sources, decides the scope, and takes up what earlier runs left. Throws SyncError when the target is unreachable. */
export async function openRun(options: RunOptions, world: World): Promise<Run> {
  const { state } = world
  const target = createPeer(world.target, await world.target.open())
  const startedAt = world.clock()
  const choice = chooseRunScope(options, target, state)
  const number = state.runs.begin(options.command, startedAt)
  if (options.command !== 'retry') state.runs.setScope(number, choice.scope.type)
  state.spool.recover('the run before ended first', startedAt)
  const layers = layersOf(options)
  const names = layers.map(({ name }) => name)
  const logs = new Map(world.sources.map(({ url }) => [url, new SourceLog(url, names)]))
  const sources = await openSources(options, world, logs)
  const ledger = new Ledger(names)
  const knowledge = new Knowledge(state, choice.scope, options)
  if (options.command === 'retry') knowledge.recallForRetry()
  else knowledge.recall()
  const witnesses = new WitnessLog()
  const held = new HeldTally()
  const software = softwareOf(target.profile)
  const window = isWindowed(options) ? { since: options.since, until: options.until } : undefined
  const intake: IntakeContext = {
    target,
    state,
    verifier: world.verifier,
    ledger,
    now: startedAt,
    deletions: options.deletions,
    learn: (layer, event) => knowledge.learn(layer, event, false),
    countHeld: (layer, event) => {
      ledger.count(layer, 'held')
      const isCompared = options.command === 'check' && (window === undefined || isWithin(event, window))
      if (isCompared) held.add(layer, event.kind, knowledge.repositoryOf(event))
    },
    witness: (url, events) => witnesses.add(url, events),
    window,
    software,
  }
  const policy = createPolicy(options, startedAt)
  const onProgress = world.progress.fetched
  return {
    options,
    world,
    number,
    startedAt,
    target,
    software,
    choice,
    sources,
    logs: [...logs.values()],
    knowledge,
    ledger,
    witnesses,
    held,
    reading: {
      ...intake,
      layers,
      sources,
      knowledge,
      policy,
      onProgress,
      ...createReaders(intake, knowledge, policy, { options, choice }),
      discover: () => Promise.resolve(),
    },
    selection: {
      peers: sources.map(({ peer, budget }) => ({ ...peer, endpoint: withinBudget(peer.endpoint, budget) })),
      scope: choice.scope,
      sourceFailed: (source, error) => failSource(source, error, logs, state),
    },
    check: null,
    wasCutShort: false,
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

/** What reading does beside paging. With `--follow-ups` every event of layers 2 and 3 must be seen, so they are paged. */
function createReaders(
  intake: IntakeContext,
  knowledge: Knowledge,
  policy: SincePolicy,
  { options, choice }: { options: RunOptions; choice: ScopeChoice },
): Pick<ReadingContext, 'compare' | 'readSecond' | 'readTarget'> {
  const { target, state, verifier, now } = intake
  const compares = options.reconcile && policy.since === undefined && choice.scope.type !== 'named'
  const comparable: readonly LayerName[] = options.followUps
    ? ['announcements', 'follow-ups']
    : ['announcements', 'repositories', 'threads']
  const settings = { target, run: state.run, now, layers: new Set(options.reconcile ? comparable : []) }
  return {
    compare: (source, request, reading) => compareRequest(source, request, reading, settings),
    readSecond: async (source, filter, reading) => options.reconcile && readSecond(source, filter, reading, now),
    readTarget: createTargetReader({ target, state, verifier, knowledge, now, compares }),
  }
}

/** Whether only what lies between `since` and `until` is copied or compared. */
export function isWindowed({ command, since, until }: RunOptions): boolean {
  return command === 'backfill' || (command === 'check' && (since !== undefined || until !== undefined))
}

async function openSources(options: RunOptions, world: World, logs: ReadonlyMap<string, SourceLog>) {
  const opened = await Promise.all(
    world.sources.map(async (endpoint): Promise<OpenSource[]> => {
      const log = logs.get(endpoint.url)
      if (log === undefined) return []
      try {
        const peer = createPeer(endpoint, await endpoint.open())
        return [{ peer, log, budget: { bytesLeft: options.maxBytesPerSource, maxBytes: options.maxBytesPerSource } }]
      } catch (error) {
        if (!(error instanceof SyncError)) throw error
        log.fail(error.message)
        return []
      }
    }),
  )
  return opened.flat()
}

function failSource(source: Peer, error: unknown, logs: ReadonlyMap<string, SourceLog>, state: TargetState): void {
  logs.get(source.endpoint.url)?.fail(reasonOf(error))
  state.coverage.noteAllOpen(source.endpoint.url)
}
