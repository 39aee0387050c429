/*
 * What becomes of an event: the only code that changes its state. (Rows that no run needs are removed by prune.ts.) A
 * verb changes the row, and the count where there is one, in one call; the caller puts verbs that belong together into
 * one transaction. A lint rule keeps other code from the rows.
 */
import type { NostrEvent } from '../nostr/event.ts'
import type { Outcome } from '../report/report.ts'
import type { Origin, RowChange } from '../store/spool-rows.ts'
import type { SpooledHead, SpoolState } from '../store/spooled-event.ts'
import type { RunEvent, Tell } from '../run-event.ts'
import type { TargetState } from '../store/target-state.ts'
import type { UnixSeconds } from '../time.ts'
import type { Ledger } from './ledger.ts'

/**
 * The states that may follow each state. `gone`: the row is removed, because the target holds the event or nobody wants
 * it.
 *
 * `candidate` was fetched. `outside` was fetched and lies outside the window of a backfill. `ready` will be sent.
 * `confirming` was answered, or sent without an answer, and will be asked for again. `parked` is not settled and will
 * be tried again. `refused` is settled and remembered with its reason. `held` is settled and remembered: the target
 * holds it without serving it.
 */
export const FOLLOWS: Readonly<Record<SpoolState, readonly (SpoolState | 'gone')[]>> = {
  candidate: ['ready', 'gone'],
  outside: ['ready', 'gone'],
  ready: ['ready', 'confirming', 'parked', 'refused', 'gone'],
  confirming: ['parked', 'refused', 'held', 'gone'],
  parked: ['ready', 'parked', 'refused', 'gone'],
  refused: ['parked', 'gone'],
  held: ['parked', 'gone'],
}

/**
 * Why an event is not settled yet. An absent reason or outcome keeps its old value; the other fields replace theirs.
 */
export type Wait = {
  readonly outcome?: Outcome
  readonly reason?: string
  readonly isOrphan?: boolean
  /** This run met an error. */
  readonly isError?: boolean
  /** Earliest time to send it again; absent: it waits for no time. */
  readonly retryAt?: UnixSeconds | undefined
  /** The parent that stands in the way, an address or an id. */
  readonly obstacle?: string | undefined
}

/** The answer of a target to an event that was sent. */
export type Answered = Wait & { readonly lastOkAt?: UnixSeconds | undefined }

/** Why an event is settled although the target does not hold it. */
export type Refusal = Pick<Wait, 'reason' | 'isOrphan' | 'obstacle'> & { readonly wasSent?: boolean }

/** What `Fate` needs. `software`: what the target runs, stored with each refusal. */
export type FateContext = {
  readonly state: TargetState
  readonly ledger: Ledger
  /** When the run began. */
  readonly now: UnixSeconds
  readonly software: string | undefined
  readonly tell?: Tell | undefined
}

const PIECE = 500
/** With these outcomes the target has the event, or a newer version. */
const IS_AT_TARGET: readonly Outcome[] = ['accepted', 'duplicate', 'superseded']

type Told = Extract<RunEvent, { type: 'event' }>['state']
/** The states that listeners are told of. */
const TOLD_AS: Readonly<Partial<Record<SpoolState, Told>>> = {
  confirming: 'answered',
  parked: 'parked',
  refused: 'refused',
  held: 'settled',
}

/** Changes the states of the events of one run. Verbs for one event throw TypeError for what `FOLLOWS` forbids. */
export class Fate {
  readonly #context: FateContext

  constructor(context: FateContext) {
    this.#context = context
  }

  /** Stores a fetched event for selection. The versions at its address that lose are dropped as superseded. */
  take(event: NostrEvent, origin: Origin): void {
    const { state, ledger } = this.#context
    for (const loser of state.spoolRows.insert(event, origin)) ledger.drop(loser.layer, 'superseded')
  }

  /** The event is wanted and the target lacks it: it will be sent in this stage. Reports count by its repository. */
  makeReady(spooled: SpooledHead, stage: number, repository?: string): void {
    const { state, ledger } = this.#context
    this.#follow(spooled, 'ready')
    state.spoolRows.makeReady(spooled.event.id, stage, repository)
    if (spooled.isLate && (spooled.state === 'candidate' || spooled.state === 'outside'))
      ledger.count(spooled.layer, 'lateArrivals')
  }

  /** Notes the repository of an event: reports count by it. */
  assign({ event, repository: noted }: SpooledHead, repository: string | undefined): void {
    if (repository !== undefined && repository !== noted) this.#context.state.spoolRows.assign(event.id, repository)
  }

  /** The event was sent; the target must still be asked whether it serves it. */
  confirmLater(spooled: SpooledHead, answered: Answered): void {
    this.#change(spooled, 'confirming', { ...answered, wasSent: true })
  }

  /** The event is not settled: a later run tries again, or this one once the thing it waits for arrives. */
  park(spooled: SpooledHead, wait: Wait & { readonly wasSent?: boolean } = {}): void {
    this.#change(spooled, 'parked', wait)
  }

  /** Keeps the event parked; changes only the reason and the parent that stands in the way. */
  explain(spooled: SpooledHead, reason: string, obstacle: string): void {
    this.#follow(spooled, 'parked', 'parked')
    this.#context.state.spoolRows.explain(spooled.event.id, reason, obstacle)
  }

  /** The target does not take the event, or has another in its place: it is remembered with the reason. */
  refuse(spooled: SpooledHead, outcome: Outcome, refusal: Refusal = {}): void {
    const { ledger, software } = this.#context
    this.#change(spooled, 'refused', { outcome, software, ...refusal })
    ledger.settle(spooled.layer, outcome)
  }

  /** The target holds the event without serving it: remembered, since another try would bring the same answer. */
  hold(spooled: SpooledHead): void {
    const { ledger, software } = this.#context
    this.#change(spooled, 'held', { outcome: 'duplicate', software })
    ledger.settle(spooled.layer, 'duplicate')
  }

  /** The target serves the event, or nothing is left to serve: removes the row. */
  settle(spooled: SpooledHead, outcome: Outcome): void {
    const { state, ledger } = this.#context
    this.#remove(spooled)
    ledger.settle(spooled.layer, outcome)
    state.settled.count(spooled, IS_AT_TARGET.includes(outcome))
    this.#tell(spooled, 'settled', { outcome })
  }

  /** Nobody wants the event: removes the row and counts `why`. */
  drop(spooled: SpooledHead, why: string): void {
    this.#remove(spooled)
    this.#context.ledger.drop(spooled.layer, why)
  }

  /**
   * Removes the row without counting it: the target held the event all along, it lies outside the window, or its memory
   * has lapsed.
   */
  forget(spooled: SpooledHead): void {
    this.#remove(spooled)
  }

  /** Parks a refused event again, to be sent; an orphan waits until its parent is served. */
  reopen(spooled: SpooledHead, { isOrphan = false } = {}): void {
    this.#follow(spooled, 'parked', 'refused')
    this.#context.state.spoolRows.reopen(spooled.event.id, this.#context.now, { isOrphan })
  }

  /** Parks an event that this run refused for a reason that was not about the event, and takes back the count. */
  takeBack(spooled: SpooledHead, reason: string): void {
    const { ledger } = this.#context
    const { outcome = 'refused', isOrphan, layer } = spooled
    this.#follow(spooled, 'parked', 'refused')
    this.#change(spooled, 'parked', { outcome: 'unsent', reason, isOrphan })
    ledger.settle(layer, outcome, -1)
  }

  /** Something that may change the answer has arrived: a run that starts after `from` tries the event again. */
  tryAgain(spooled: SpooledHead, from: UnixSeconds): void {
    this.#context.state.spoolRows.tryAgain(spooled.event.id, from)
  }

  /** Parks every refused event again. Those that depend on others still wait for them. */
  reopenAll(): void {
    this.#context.state.spoolRows.reopenAll(this.#context.now)
  }

  /** Parks again the events that were settled because of something that the target held. */
  reopenDisplaced(): void {
    this.#context.state.spoolRows.reopenDisplaced(this.#context.now)
  }

  /**
   * Cleans up after a run that ended early: drops what was not selected, to be fetched again, and parks the rest, with
   * this reason where it has none.
   */
  recover(reason: string): void {
    this.#context.state.spoolRows.recover(reason, this.#context.now)
  }

  /** Puts parents before children among ready events. */
  orderByParents(): void {
    this.#context.state.spoolRows.orderByParents()
  }

  /** Counts ready events as published, for a run that sends nothing. */
  countReady(): void {
    const { state, ledger } = this.#context
    for (const piece of state.spool.inState('ready', PIECE))
      for (const { layer } of piece) ledger.count(layer, 'published')
  }

  #change(spooled: SpooledHead, state: SpoolState, change: Omit<RowChange, 'state'>): void {
    this.#follow(spooled, state)
    this.#context.state.spoolRows.change(spooled.event.id, { state, ...change }, this.#context.now)
    const told = TOLD_AS[state]
    if (told !== undefined) this.#tell(spooled, told, change)
  }

  #tell(spooled: SpooledHead, state: Told, { outcome = spooled.outcome, reason = spooled.reason }: Wait): void {
    const { id, kind } = spooled.event
    this.#context.tell?.({ type: 'event', state, id, kind, layer: spooled.layer, outcome, reason })
  }

  #remove(spooled: SpooledHead): void {
    this.#follow(spooled, 'gone')
    this.#context.state.spoolRows.remove(spooled.event.id)
  }

  /** `from`: the only state that the verb accepts, if it accepts just one. */
  #follow({ state, event }: SpooledHead, next: SpoolState | 'gone', from = state): void {
    if (state === from && FOLLOWS[state].includes(next)) return
    throw new TypeError(`event ${event.id}: ${state} is not followed by ${next}`)
  }
}
