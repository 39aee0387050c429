import { tmpdir } from 'node:os'
import { layerVersions } from '../checkpoint/layers.ts'
import { InterruptedError, reasonOf, SyncError, UsageError } from '../errors.ts'
import { createVerifier } from '../nostr/verifier.ts'
import { openRun } from '../open-run.ts'
import type { Endpoint } from '../relay/endpoint.ts'
import { createPacer } from '../relay/pace/pacing.ts'
import type { Part, RunOptions } from '../report/run-options.ts'
import type { WhyReport } from '../report/why.ts'
import type { World } from '../run/world.ts'
import { shardOf } from '../scope/choose-part.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import { adoptTarget } from '../store/adopt-target.ts'
import { findKeys, keysOf, openKnownState } from '../store/open-known-state.ts'
import { explainStateError, openScratchCopy, type Db } from '../store/state-file.ts'
import { readStateKey, stateKey } from '../store/state-key.ts'
import { createTargetState, type TargetState } from '../store/target-state.ts'
import { rememberedService, rememberedSources, traceState } from '../store/trace-state.ts'
import { createSilentEndpoint } from '../why/silent-endpoint.ts'
import { traceEvent } from '../why/trace-event.ts'
import type { WhyOptions } from './parse/why-options.ts'
import { createEndpoint, MAX_SPOOL_BYTES, type RunRequest } from './run-command.ts'
import { runKeyOf, targetKeyOf } from './state-place.ts'

/** What `why` is asked, as parsed from the command line. */
export type WhyRequest = WhyOptions &
  Pick<RunRequest, 'connection' | 'key' | 'stateFile' | 'openStdin' | 'stdout' | 'signal'>

const OFFLINE = 'not asked (--offline)'
const NAMED = 5

/**
 * Traces one event on a copy of the state file, so that a run may go on meanwhile. Throws SyncError when the state file
 * is needed and missing or unreadable, UsageError when it knows no target, or several.
 */
export async function runWhy(request: WhyRequest): Promise<WhyReport> {
  const { stateFile, isOffline, subject } = request
  if (isOffline || request.options.target === '') openKnownState(stateFile).close()
  const cleanups: (() => unknown)[] = []
  try {
    const db = openScratchCopy(stateFile, tmpdir())
    cleanups.push(() => db.close())
    const { key, ...options } = withKnownEnds(request, db)
    adoptTarget(db, key, targetKeyOf)
    const state = createTargetState(db, key, { versions: layerVersions(options), maxSpoolBytes: MAX_SPOOL_BYTES })
    const stored = traceState(db, { key, url: options.target, spool: state.spool }, subject)
    const world = await createWorld(options, state, request, cleanups)
    const traced = await traceEvent({ subject, stored, isOffline }, await openTrace(options, world))
    return { ...traced, shard: shardOfEvent(traced, readStateKey(key).shard ?? undefined) }
  } catch (error) {
    throw explainStateError(error, stateFile)
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup()
  }
}

/** Only the rows of the shard that copies an event remember what became of it. */
function shardOfEvent({ event }: Pick<WhyReport, 'event'>, asked: Part | undefined): WhyReport['shard'] {
  if (asked === undefined) return null
  const repository = event?.repository ?? null
  return { ...asked, copiedBy: repository === null ? null : shardOf(repository, asked.of) }
}

/** What the command line leaves out: the only target, its sources, and the public name under which it was compared. */
function withKnownEnds({ options, stateFile, isOffline }: WhyRequest, db: Db): RunOptions & { readonly key: string } {
  const { target, key } = findRows(options, { db, stateFile, isOffline })
  const remembered = rememberedService(db, key)
  const service = options.service ?? (remembered === undefined ? undefined : `wss://${remembered}`)
  const sources = options.sources.length > 0 ? options.sources : rememberedSources(db, key)
  const asked = isOffline ? [] : sources.filter((source) => source !== '-')
  // It is judged by the whole scope: the shard says only which rows remember it.
  return { ...options, key, target, service, sources: asked, shard: undefined }
}

type Place = { readonly db: Db; readonly stateFile: string; readonly isOffline: boolean }

/** The rows of the state file that are asked, and the target as it is dialled. A target may be known in shards only. */
function findRows(options: RunOptions, { db, stateFile, isOffline }: Place): { target: string; key: string } {
  const { target, shard } = options
  if (target === '') {
    const key = onlyOne(
      keysOf(db, stateFile, undefined).filter((each) => shard === undefined || each === ofShard(each, shard)),
      stateFile,
    )
    return { target: readStateKey(key).target, key }
  }
  const wanted = { target: targetKeyOf(target), shard }
  const known = isOffline ? keysOf(db, stateFile, wanted) : findKeys(db, wanted)
  const exact = runKeyOf(options)
  return { target, key: known.length === 0 || known.includes(exact) ? exact : onlyOne(known, stateFile) }
}

function ofShard(key: string, shard: Part): string {
  return stateKey(readStateKey(key).target, shard)
}

function onlyOne(known: readonly string[], stateFile: string): string {
  const [first, ...others] = known
  if (first !== undefined && others.length === 0) return first
  if (first === undefined) throw new UsageError([`no target: ${stateFile} knows none: give --target`])
  const more = known.length > NAMED ? ` and ${known.length - NAMED} more` : ''
  const named = `${known.slice(0, NAMED).join(', ')}${more}`
  const isOneTarget = new Set(known.map((key) => readStateKey(key).target)).size === 1
  throw new UsageError([
    isOneTarget
      ? `no shard: ${stateFile} knows several, give --shard: ${named}; any of them says which one copies the event`
      : `no target: ${stateFile} knows several, give --target: ${named}`,
  ])
}

async function createWorld(
  options: RunOptions,
  state: TargetState,
  request: WhyRequest,
  cleanups: (() => unknown)[],
): Promise<World> {
  const { signal, isOffline } = request
  const named = { ...request, pacing: { rate: 'none', connections: 1, maxDurationMs: undefined } } as const
  const open = (url: string, role: 'source' | 'target'): Promise<Endpoint> => createEndpoint(url, role, named)
  const target = isOffline ? createSilentEndpoint(options.target, OFFLINE) : await open(options.target, 'target')
  const sources = await Promise.all(options.sources.map((url) => open(url, 'source')))
  cleanups.push(() => Promise.all([target, ...sources].map((endpoint) => endpoint.close())))
  const verifier = createVerifier({ workers: 0 })
  const nowMs = (): number => performance.now()
  return {
    ...{ target, sources, state, verifier, signal, nowMs },
    createPacer: () => createPacer({ rate: undefined, nowMs, sleep: () => Promise.resolve(), signal }),
    clock: () => Math.floor(Date.now() / 1000),
    deadline: new AbortController().signal,
    // Nothing is discovered: strangers are not asked about an event.
    strangers: { addressesOf: () => Promise.resolve([]), open: (url) => createSilentEndpoint(url, OFFLINE) },
  }
}

/** A target that cannot be reached still leaves what the sources and the state file say. */
async function openTrace(options: RunOptions, world: World): Promise<ScopedRun> {
  const { target, state, signal } = world
  const isSilent = target.kind === 'relay' && target.givenUp() !== undefined
  if (isSilent) return openRun(withKnownScope(options, state), world)
  try {
    return await openRun(options, world)
  } catch (error) {
    if (!(error instanceof SyncError) || signal.reason instanceof InterruptedError) throw error
    const silent = createSilentEndpoint(target.url, reasonOf(error))
    return openRun(withKnownScope(options, state), { ...world, target: silent })
  }
}

/** Without the target's document, `auto` is the scope of the last run; before any run, it leaves nothing out. */
function withKnownScope(options: RunOptions, { runs }: TargetState): RunOptions {
  const last = runs.lastScope()
  if (options.scope.type !== 'auto' || last === 'all' || last === 'listed') return options
  return { ...options, scope: { type: 'all' } }
}
