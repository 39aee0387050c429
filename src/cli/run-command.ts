import { setMaxListeners } from 'node:events'
import type { LookupFunction } from 'node:net'
import { availableParallelism, hostname, tmpdir } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { InterruptedError, reasonOf, SyncError, UsageError } from '../errors.ts'
import { isSameFile } from '../file/same-file.ts'
import { layerVersions } from '../checkpoint/layers.ts'
import { createVerifier } from '../nostr/verifier.ts'
import type { Endpoint } from '../relay/endpoint.ts'
import { combineRates, createPacer, knownRate } from '../relay/pace/pacing.ts'
import type { Rate } from '../time.ts'
import { createRelayPool } from '../relay/relay-pool.ts'
import { createWebSocketRelay, type WebSocketRelay } from '../relay/websocket-relay.ts'
import type { Report } from '../report/report.ts'
import type { ConnectionOptions, PacingOptions, RunOptions } from '../report/run-options.ts'
import { adoptTarget } from '../store/adopt-target.ts'
import { acquireLock } from '../store/lock.ts'
import { recordFailure } from '../store/record-failure.ts'
import { explainStateError, openScratchCopy, openStateFile } from '../store/state-file.ts'
import { createTargetState, type TargetState } from '../store/target-state.ts'
import type { Tell } from '../run-event.ts'
import type { FoundDifference, ReportLists, World } from '../run/world.ts'
import { sync } from '../sync.ts'
import { startDeadline } from './deadline.ts'
import type { ListenAddress } from './parse/parse-listen.ts'
import type { OpenServing } from './serve-command.ts'
import { exitCodeOf } from './exit-codes.ts'
import { openGit } from './open-git.ts'
import { runKeyOf, targetKeyOf } from './state-place.ts'
import { createStrangers } from './strangers.ts'

/** A run, as parsed from the command line. */
export type RunRequest = {
  readonly options: RunOptions
  readonly connection: ConnectionOptions
  readonly pacing: PacingOptions
  /** `serve`: where. */
  readonly listen?: ListenAddress | undefined
  /** The secret key for NIP-42. */
  readonly key?: Uint8Array | undefined
  readonly stateFile: string
  /** Used for the endpoint `-`; most runs need no standard input. */
  readonly openStdin: () => NodeJS.ReadStream
  readonly stdout: NodeJS.WriteStream
  readonly signal: AbortSignal
  /** For the place of the cache and of git; no secret is read from it here. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Takes what happens; absent if nobody listens. */
  readonly tell?: Tell | undefined
  /** `check`: takes each event that the target lacks, or does not serve. */
  readonly onDifference?: (difference: FoundDifference) => Promise<void>
  /** `check --ids`: takes what is listed. */
  readonly lists?: ReportLists | undefined
}

type EndpointRequest = Pick<
  RunRequest,
  'connection' | 'key' | 'pacing' | 'openStdin' | 'stdout' | 'signal' | 'tell'
> & {
  /** Whether an earlier run leaves little to read there or to send. @default false */
  readonly expectsLittle?: boolean
}

/** How much the spool may hold. */
export const MAX_SPOOL_BYTES = 8 * 1024 ** 3
// The main thread waits for them most of the time, and cannot keep more than two busy (docs/benchmarks.md).
const MAX_VERIFIERS = 2

/** Connects a run to the real world: state, lock, relays, files, clock. Cleans up afterwards. */
export async function runCommand(request: RunRequest): Promise<Report> {
  const { options, signal, pacing } = request
  refuseLinks(options)
  const cleanups: (() => unknown)[] = []
  const startedMs = Date.now()
  let state: TargetState | undefined
  try {
    state = openState(request, cleanups)
    const deadline = startDeadline(pacing.maxDurationMs)
    cleanups.push(() => deadline.dispose())
    const untilDeadline = AbortSignal.any([signal, deadline.signal])
    // Every source listens to this signal.
    setMaxListeners(0, untilDeadline)
    const { checkpoints } = state
    const open = (url: string): Promise<Endpoint> => {
      const expectsLittle = checkpoints.hasDrained(url)
      return createEndpoint(url, 'source', { ...request, expectsLittle, signal: untilDeadline })
    }
    const connectTarget = (): Promise<Endpoint> =>
      createEndpoint(options.target, 'target', { ...request, expectsLittle: !checkpoints.isEmpty() })
    const serving = request.listen && (await openServing(request.listen, connectTarget))
    cleanups.push(() => serving?.close())
    const target = await connectTarget()
    const sources = await Promise.all(options.sources.map(open))
    cleanups.push(() => Promise.all([target, ...sources].map((endpoint) => endpoint.close())))
    const verifier = createVerifier({ workers: Math.min(MAX_VERIFIERS, availableParallelism()) })
    cleanups.push(() => verifier.close())
    const strangers = createStrangers({
      connect: (url, lookup) => connectRelay(url, { ...request, key: undefined, signal: untilDeadline }, lookup),
      signal: untilDeadline,
      lookupTimeoutMs: request.connection.connectTimeoutMs,
    })
    cleanups.push(() => strangers.close())
    const git = options.git === undefined ? undefined : await openGit(options.git, request.env, untilDeadline)
    cleanups.push(() => git?.close())
    // Before anything is sent: without it the run would end in the middle.
    if (usesGitTool(options)) await git?.requireTool()
    const world: World = {
      target,
      sources,
      state,
      verifier,
      createPacer: (software) =>
        createPacer({
          rate: startRate(pacing, software),
          nowMs: () => performance.now(),
          sleep: sleepUnlessAborted,
          signal: untilDeadline,
        }),
      clock: () => Math.floor(Date.now() / 1000),
      nowMs: () => performance.now(),
      signal,
      deadline: deadline.signal,
      tell: request.tell,
      strangers,
      ...(git === undefined ? {} : { git }),
      serving,
      ...(request.onDifference === undefined ? {} : { onDifference: request.onDifference }),
      lists: request.lists,
    }
    return await sync(options, world)
  } catch (error) {
    if (state?.runs.hasBegun !== true) noteFailedStart(request, error, startedMs)
    throw explainStateError(error, request.stateFile)
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup()
  }
}

/** Comparing refs needs no git on this machine; cloning, fetching and pushing do. */
function usesGitTool({ command, git }: RunOptions): boolean {
  return command !== 'check' || git?.deep !== undefined
}

/** Wrong usage is no run, and a state file that cannot be written tells so itself. */
function noteFailedStart({ options, stateFile, signal }: RunRequest, error: unknown, startedMs: number): void {
  if (options.dryRun || options.target === '-' || error instanceof UsageError) return
  const failed = {
    command: options.command,
    startedAt: Math.floor(startedMs / 1000),
    durationMs: Date.now() - startedMs,
    exit: signal.reason instanceof InterruptedError ? signal.reason.exitCode : exitCodeOf(error),
    reason: reasonOf(error),
  }
  try {
    recordFailure(stateFile, runKeyOf(options), failed)
  } catch (second) {
    // The first error is the one to tell; it is most likely the same.
    if (!(second instanceof SyncError)) throw explainStateError(second, stateFile)
  }
}

/**
 * A file that is both read and written would grow forever, and two names of one file are no two copies. The shell
 * separates standard input and output.
 */
function refuseLinks({ sources, target, copies }: RunOptions): void {
  const files = sources.filter(isFile)
  const linked = isFile(target) ? files.filter((source) => isSameFile(source, target)) : []
  const twins = copies === undefined ? [] : files.flatMap((one, index) => twinAmong(files.slice(0, index), one))
  if (linked.length + twins.length === 0) return
  throw new UsageError([
    ...linked.map(
      (source) => `the source ${source} and the target ${target} are one file: a source must be another one`,
    ),
    ...twins.map(([one, other]) => `the sources ${one} and ${other} are one file: --copies counts distinct ends`),
  ])
}

function twinAmong(before: readonly string[], file: string): (readonly [string, string])[] {
  const twin = before.find((other) => isSameFile(other, file))
  return twin === undefined ? [] : [[twin, file]]
}

function isFile(end: string): boolean {
  return end !== '-' && !/^wss?:\/\//.test(end)
}

/** `--dry-run` works on a copy; a run to standard output has nothing to remember. */
function openState({ options, stateFile }: RunRequest, cleanups: (() => unknown)[]) {
  const isStream = options.target === '-'
  const key = runKeyOf(options)
  if (!options.dryRun && !isStream) {
    const holder = { pid: process.pid, host: hostname(), startedAt: Math.floor(Date.now() / 1000) }
    const lock = acquireLock(stateFile, key, holder)
    cleanups.push(() => lock.release())
  }
  const db =
    options.dryRun || isStream ? openScratchCopy(isStream ? undefined : stateFile, tmpdir()) : openStateFile(stateFile)
  adoptTarget(db, key, targetKeyOf)
  const state = createTargetState(db, key, { versions: layerVersions(options), maxSpoolBytes: MAX_SPOOL_BYTES })
  cleanups.push(() => state.close())
  return state
}

/** Binds before anything is read: a port that is taken shows at once. */
async function openServing(address: ListenAddress, connectTarget: () => Promise<Endpoint>): Promise<OpenServing> {
  return (await import('./serve-command.ts')).openServing(address, connectTarget)
}

/** Returns a relay or file that the operator named: all relays here get the key. */
export async function createEndpoint(
  url: string,
  role: 'source' | 'target',
  request: EndpointRequest,
): Promise<Endpoint> {
  const { pacing, openStdin, stdout, signal } = request
  if (/^wss?:\/\//.test(url)) {
    const connect = (): WebSocketRelay => connectRelay(url, request)
    const others = role === 'source' ? 0 : pacing.connections - 1
    return createRelayPool([connect(), ...Array.from({ length: others }, connect)])
  }
  const { createFileEndpoint } = await import('../file/file-endpoint.ts')
  return createFileEndpoint(url, {
    role,
    temporaryDirectory: tmpdir(),
    signal,
    ...(url === '-' ? { stdin: openStdin(), stdout } : {}),
  })
}

function connectRelay(
  url: string,
  { connection, key, signal, tell, expectsLittle = false }: EndpointRequest,
  lookup?: LookupFunction,
): WebSocketRelay {
  return createWebSocketRelay(url, {
    ...connection,
    perMessageDeflate: connection.compress === 'auto' ? expectsLittle : connection.compress === 'always',
    signal,
    now: Date.now,
    random: Math.random,
    tell,
    ...(key === undefined ? {} : { key }),
    ...(lookup === undefined ? {} : { lookup }),
  })
}

function startRate({ rate, connections }: PacingOptions, software: string | undefined): Rate | undefined {
  if (rate === 'none') return undefined
  return combineRates(rate === 'known' ? knownRate(software) : rate, connections)
}

async function sleepUnlessAborted(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error
  })
}
