import type { NostrEvent } from '../../src/nostr/event.ts'
import { generateHistory } from '../support/generate.ts'
import type { LiveCli } from '../support/run-cli.ts'
import { endArguments, nowSeconds, type CheckpointRow, type Outcome } from '../support/workbench.ts'
import type { Fault, Mode } from './matrix/fault.ts'
import { startStage, type Stage, type StageEnd } from './matrix/stage.ts'

/**
 * What is disturbed: `first` has no checkpoints yet, `later` follows a complete run, after which the source got more.
 */
export type Occasion = { readonly mode: Mode; readonly run: 'first' | 'later' }

/** A stage, and the checkpoints that stood before the source got more. */
export type Scene = Stage & { readonly before: readonly CheckpointRow[] }

/** What is to happen to a program when this many frames passed at both ends, and so much later. */
export type Instant = { readonly frame: number; readonly delayMs: number; readonly act: (cli: LiveCli) => void }

const CORRECT: Fault = { name: 'none', phases: ['layer 1'], expected: { exit: 0 } }
const lengths = new Map<string, Promise<number>>()

/** Two relays behind proxies, at the moment before the run that is disturbed. */
export async function setUp({ mode, run }: Occasion): Promise<Scene> {
  const events = writeMore()
  const stage = await startStage(run === 'first' ? { ...CORRECT, events } : CORRECT, mode)
  if (run === 'first') return { ...stage, before: [] }
  await catchup(stage)
  await add(stage.source, events, mode)
  stage.bench.letPass(60)
  return { ...stage, truth: [...stage.truth, ...events], before: stage.bench.checkpoints() }
}

/** Young enough for a run with `since`. */
function writeMore(): NostrEvent[] {
  const size = { repositories: 2, rootsPerRepository: 3, commentsPerRoot: 3 }
  return [...generateHistory({ ...size, seed: 8, startAt: nowSeconds() - 600, spacingSeconds: 10 })]
}

/** How many frames pass in an undisturbed run of this sort; learnt once. */
export function lengthOf({ mode, run }: Occasion): Promise<number> {
  const key = `${mode} ${run}`
  const known = lengths.get(key) ?? measure({ mode, run })
  lengths.set(key, known)
  return known
}

async function measure(occasion: Occasion): Promise<number> {
  const stage = await setUp(occasion)
  const frames = countFrames(stage, () => undefined)
  await catchup(stage)
  return frames()
}

/** Starts a run and does to it what is asked, when it is time. */
export function startDisturbed(stage: Stage, { frame, delayMs, act }: Instant): LiveCli {
  const cli = stage.bench.start(argumentsOf(stage))
  const strike = (): unknown => setTimeout(() => act(cli), delayMs)
  if (frame === 0) strike()
  else countFrames(stage, (count) => count === frame && strike())
  return cli
}

/** One undisturbed run. */
export function catchup(stage: Stage): Promise<Outcome> {
  return stage.bench.catchup(stage.source, stage.target, ...modeArguments(stage))
}

/** `layer anchor` of every checkpoint. */
export function anchorsDrained({ bench, source }: Stage): string[] {
  return bench
    .checkpoints(source)
    .map(({ layer, anchor }) => `${layer} ${anchor}`)
    .sort()
}

/** Ids of the events that pass on their way to the target from now on. */
export function listenForEvents({ target }: Stage): Set<string> {
  const sent = new Set<string>()
  target.proxy.onFrame(([label, event], from) => {
    if (label === 'EVENT' && from === 'client') sent.add((event as NostrEvent).id)
    return undefined
  })
  return sent
}

/** Counts the frames at both ends, both ways. */
function countFrames({ source, target }: Stage, onCount: (count: number) => unknown): () => number {
  let count = 0
  for (const { proxy } of [source, target]) {
    proxy.onFrame(() => {
      onCount((count += 1))
      return undefined
    })
  }
  return () => count
}

function argumentsOf(stage: Stage): string[] {
  return ['catchup', '--json', ...endArguments(stage.source, stage.target), ...modeArguments(stage)]
}

function modeArguments({ mode }: Stage): string[] {
  return mode === 'paging' ? ['--no-reconcile'] : []
}

async function add(end: StageEnd, events: readonly NostrEvent[], mode: Mode): Promise<void> {
  if (mode === 'paging') await end.real.seed(events)
  else for (const event of events) end.script.events.set(event.id, event)
}
