import { onTestFinished } from 'vitest'

import type { NostrEvent } from '../../../src/nostr/event.ts'
import type { Filter } from '../../../src/nostr/filter.ts'
import type { RealRelay } from '../../support/real-relay.ts'
import type { Behaviour } from '../../support/scripted-behaviour.ts'
import type { ScriptedRelay, ScriptedRelayOptions } from '../../support/scripted-relay.ts'
import { startTcpProxy, type NetworkFault, type TcpProxy } from '../../support/tcp-proxy.ts'
import type { CliResult } from '../../support/run-cli.ts'
import { createWorkbench, type Workbench } from '../../support/workbench.ts'
import type { Fault, Mode, Phase } from './fault.ts'
import { HELD, HISTORY, layerOf } from './scene.ts'

/** One end of a run: a relay behind a proxy. */
export type StageEnd = {
  readonly url: string
  readonly proxy: TcpProxy
  /** The scripted relay; throws where the relay is a real one. */
  readonly script: ScriptedRelay
  /** The real relay; throws where it is a scripted one. */
  readonly real: RealRelay
  events(): NostrEvent[]
  /** Correct again, reachable, and running. */
  heal(): Promise<void>
}

/** What one cell of the matrix is played on. */
export type Stage = {
  readonly bench: Workbench
  readonly mode: Mode
  readonly source: StageEnd
  readonly target: StageEnd
  readonly second: StageEnd | undefined
  /** What the source holds that is true. */
  readonly truth: readonly NostrEvent[]
  /** The network of the end that the phase concerns fails when its first message passes, and each time again. */
  strike(phase: Phase, fault: NetworkFault): void
  /** The same, with whatever is to be done then. */
  onPhase(phase: Phase, work: () => NetworkFault | undefined): void
  /** Whether a filter reads this layer, or asks the target in this phase. */
  isIn(phase: Phase, filter: Filter): boolean
  /** The end that the phase concerns. */
  endOf(phase: Phase): StageEnd
  /** What the run with the fault came to. */
  outcome: CliResult | undefined
}

/** Starts the relays of a cell. They hold the scene, and the source what the fault adds. */
export async function startStage(fault: Fault, mode: Mode): Promise<Stage> {
  const { scripts, events = [], junk = [], secondSource } = fault
  const bench = createWorkbench()
  const truth = [...HISTORY, ...events]
  const start = (role: 'source' | 'target', stored: readonly NostrEvent[]): Promise<StageEnd> => {
    const isScripted = mode === 'reconcile' || scripts === role || scripts === 'both'
    const { maxMessageBytes, document } = fault
    const limits = maxMessageBytes === undefined ? {} : { maxMessageBytes }
    const usual: Behaviour = { negentropy: mode === 'reconcile', ...(role === 'target' && document && { document }) }
    return isScripted ? startScripted(bench, usual, { ...limits, events: stored }) : startReal(bench, stored)
  }
  const [source, target, second] = await Promise.all([
    start('source', [...truth, ...(junk as readonly NostrEvent[])]),
    start('target', HELD),
    secondSource === undefined ? undefined : start('source', secondSource),
  ])
  const endOf = (phase: Phase): StageEnd => (isAtSource(phase) ? source : target)
  const reached = createPhaseFinder(truth)
  const onPhase = (phase: Phase, work: () => NetworkFault | undefined): void =>
    endOf(phase).proxy.onFrame((frame, from) => {
      return from === 'client' && reached(frame, isAtSource(phase)) === phase ? work() : undefined
    })
  const isAsked = (phase: Phase): boolean => {
    const wasSent = target.script.received.events.length > 0
    return phase === 'verifying' ? wasSent : phase === 'asking the target' && !wasSent
  }
  return {
    bench,
    mode,
    source,
    target,
    second,
    truth,
    endOf,
    onPhase,
    strike(phase, fault) {
      if (phase.startsWith('connecting')) endOf(phase).proxy.strike(fault)
      else onPhase(phase, () => fault)
    },
    isIn: (phase, filter) =>
      isAtSource(phase) ? layerOf(filter, truth) === phase : filter.ids !== undefined && isAsked(phase),
    outcome: undefined,
  }
}

/** Whether the phase is one of the source. */
export function isAtSource(phase: Phase): boolean {
  return phase === 'connecting' || phase.startsWith('layer')
}

type PhaseFinder = (frame: readonly unknown[], atSource: boolean) => Phase | undefined

/** Tells the phase of a run from what it sends. */
function createPhaseFinder(truth: readonly NostrEvent[]): PhaseFinder {
  let wasSent = false
  const proofs = new Set<unknown>()
  return ([label, id, third], atSource) => {
    const filter = label === 'REQ' || label === 'NEG-OPEN' ? (third as Filter) : undefined
    if (atSource) return filter === undefined ? undefined : layerOf(filter, truth)
    if (label === 'EVENT') {
      wasSent = true
      return 'publishing'
    }
    if (label === 'CLOSE' && proofs.has(id)) return 'checkpointing'
    if (filter?.ids === undefined && label !== 'NEG-OPEN') return undefined
    if (wasSent) proofs.add(id)
    return wasSent ? 'verifying' : 'asking the target'
  }
}

async function startScripted(bench: Workbench, usual: Behaviour, options: ScriptedRelayOptions): Promise<StageEnd> {
  const script = await bench.scripted({ ...usual, ...options })
  const proxy = await startProxy(script.url)
  return {
    url: proxy.url,
    proxy,
    script,
    get real(): RealRelay {
      throw new Error('this end is scripted')
    },
    events: () => [...script.events.values()],
    async heal() {
      for (const key of Object.keys(script.behaviour)) Reflect.deleteProperty(script.behaviour, key)
      Object.assign(script.behaviour, usual)
      await proxy.heal()
    },
  }
}

async function startReal(bench: Workbench, events: readonly NostrEvent[]): Promise<StageEnd> {
  const real = await bench.real({ events, ownProcess: true })
  const proxy = await startProxy(real.url)
  return {
    url: proxy.url,
    proxy,
    real,
    get script(): ScriptedRelay {
      throw new Error('this end is a real relay')
    },
    events: () => real.events(),
    heal: () => proxy.heal(),
  }
}

async function startProxy(url: string): Promise<TcpProxy> {
  const proxy = await startTcpProxy(url)
  onTestFinished(() => proxy.close())
  return proxy
}
