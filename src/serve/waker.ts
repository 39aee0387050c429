/*
 * ngit-grasp 3.0.10 asks in rounds of many questions, and puts the next round off for a day when one has ended: what it
 * learnt of during a round it has asked about only in part. A new connection to our relay begins a round at once.
 */
import { isTodaysGrasp } from '../relay/software.ts'
import type { OwnRelay } from '../run/world.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'

/** It looks once a minute for what to ask about. */
const FIRST_MS = 60_000
/** Above the five minutes after which it forgets that a connection was lost. */
const MAX_MS = 1_200_000

/** What it needs of a run. */
export type WakingRun = {
  readonly target: { readonly profile: Pick<ScopedRun['target']['profile'], 'software' | 'version'> }
  readonly world: Pick<ScopedRun['world'], 'nowMs' | 'tell'>
}

/** Has a target begin anew that has stopped taking although it lacks something. */
export class Waker {
  readonly #relay: Pick<OwnRelay, 'hangUp'>
  readonly #world: WakingRun['world']
  /** Other software may be in the middle of what it cannot resume. */
  readonly #isWanted: boolean
  #beganMs: number
  #limitMs = FIRST_MS

  constructor(relay: Pick<OwnRelay, 'hangUp'>, { target, world }: WakingRun) {
    this.#relay = relay
    this.#world = world
    this.#isWanted = isTodaysGrasp(target.profile)
    this.#beganMs = world.nowMs()
  }

  /** To be called after each look at the target. The longer nothing comes, the rarer it is woken. */
  note(hasProgressed: boolean): void {
    const nowMs = this.#world.nowMs()
    if (hasProgressed) return this.#begin(nowMs, FIRST_MS)
    const lullMs = nowMs - this.#beganMs
    if (!this.#isWanted || lullMs < this.#limitMs) return
    this.#begin(nowMs, Math.min(MAX_MS, this.#limitMs * 2))
    const clients = this.#relay.hangUp()
    if (clients > 0) this.#world.tell?.({ type: 'hung-up', clients, lullMs })
  }

  #begin(nowMs: number, limitMs: number): void {
    this.#beganMs = nowMs
    this.#limitMs = limitMs
  }
}
