import { availableParallelism, hostname, tmpdir } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { createFileEndpoint, type FileEndpoint } from '../file/file-endpoint.ts'
import { layerVersions } from '../layers.ts'
import type { NostrEvent } from '../nostr/event.ts'
import { createVerifier } from '../nostr/verifier.ts'
import type { Endpoint } from '../relay/endpoint.ts'
import { createPacer, knownRate } from '../relay/pacing.ts'
import { createWebSocketRelay } from '../relay/websocket-relay.ts'
import type { Report } from '../report.ts'
import type { ConnectionOptions, RunOptions } from '../run-options.ts'
import { acquireLock } from '../store/lock.ts'
import { openScratchCopy, openStateFile } from '../store/state-file.ts'
import { createTargetState } from '../store/target-state.ts'
import type { Progress, World } from '../open-run.ts'
import { sync } from '../sync.ts'
import { targetKeyOf } from './state-place.ts'

/** A run as the command line asked for it. */
export type RunRequest = {
  readonly options: RunOptions
  readonly connection: ConnectionOptions
  readonly stateFile: string
  readonly signal: AbortSignal
  readonly progress: Progress
  /** `check`: takes each event that the target lacks. */
  readonly onMissing?: (event: NostrEvent) => Promise<void>
}

const MAX_SPOOL_BYTES = 8 * 1024 ** 3
// One core is for this thread, which cannot feed more than two others (docs/benchmarks.md).
const MAX_VERIFIERS = 2

/** Wires a run to the real world: state, lock, relays, files, clock; and takes it all down again. */
export async function runCommand(request: RunRequest): Promise<Report> {
  const { options, signal } = request
  const cleanups: (() => unknown)[] = []
  try {
    const state = openState(request, cleanups)
    const open = (url: string, role: 'source' | 'target'): Endpoint => {
      const endpoint = createEndpoint(url, role, request)
      cleanups.push(() => endpoint.close())
      return endpoint
    }
    const verifier = createVerifier({ workers: Math.max(1, Math.min(MAX_VERIFIERS, availableParallelism() - 1)) })
    cleanups.push(() => verifier.close())
    const world: World = {
      target: open(options.target, 'target'),
      sources: options.sources.map((url) => open(url, 'source')),
      state,
      verifier,
      createPacer: (software) =>
        createPacer({ rate: knownRate(software), nowMs: Date.now, sleep: sleepUntil(signal), signal }),
      clock: () => Math.floor(Date.now() / 1000),
      nowMs: () => performance.now(),
      signal,
      progress: request.progress,
      ...(request.onMissing === undefined ? {} : { onMissing: request.onMissing }),
    }
    return await sync(options, world)
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup()
  }
}

/** `--dry-run` works on a copy; what goes to standard output leaves nothing to remember. */
function openState({ options, stateFile }: RunRequest, cleanups: (() => unknown)[]) {
  const isStream = options.target === '-'
  const key = targetKeyOf(options.target)
  if (!options.dryRun && !isStream) {
    const holder = { pid: process.pid, host: hostname(), startedAt: Math.floor(Date.now() / 1000) }
    const lock = acquireLock(stateFile, key, holder)
    cleanups.push(() => lock.release())
  }
  const db =
    options.dryRun || isStream ? openScratchCopy(isStream ? undefined : stateFile, tmpdir()) : openStateFile(stateFile)
  const state = createTargetState(db, key, { versions: layerVersions(), maxSpoolBytes: MAX_SPOOL_BYTES })
  cleanups.push(() => state.close())
  return state
}

function createEndpoint(url: string, role: 'source' | 'target', { connection, signal }: RunRequest): Endpoint {
  if (/^wss?:\/\//.test(url)) {
    return createWebSocketRelay(url, { ...connection, signal, now: Date.now, random: Math.random })
  }
  const file: FileEndpoint = createFileEndpoint(url, {
    role,
    temporaryDirectory: tmpdir(),
    signal,
    ...(url === '-' ? { stdin: process.stdin, stdout: process.stdout } : {}),
  })
  return file
}

function sleepUntil(signal: AbortSignal): (ms: number) => Promise<void> {
  return (ms) =>
    sleep(ms, undefined, { signal }).catch((error: unknown) => {
      if (!signal.aborted) throw error
    })
}
