/*
 * What becomes of an event: the only place that changes its state. Every verb changes the row and its count in one
 * call; the caller puts verbs that belong together into one transaction. A lint rule keeps everybody else from the
 * rows.
 */
import type { NostrEvent } from '../nostr/event.ts'
import type { Outcome } from '../report/report.ts'
import type { Origin, RowChange } from '../store/spool-rows.ts'
import type { SpooledEvent, SpoolState } from '../store/spooled-event.ts'
import type { TargetState } from '../store/target-state.ts'
import type { UnixSeconds } from '../time.ts'
import type { Ledger } from './ledger.ts'

/**
 * Which state follows which. `gone`: the row is removed, because the target holds the event or because it is not
 * wanted.
 *
 * `candidate` was fetched. `outside` was fetched and lies outside the window of a backfill. `ready` is to be sent.
 * `confirming` was answered, or sent without an answer, and is asked for again. `parked` is not settled, and is tried
 * again. `refused` is settled and remembered with its reason. `held` is settled and remembered: the target holds it and
 * does not serve it.
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
 * Why an event is not settled yet. What is left out of the reason and the outcome stays as it was; of the rest nothing
 * is known.
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

/** What a target answered to an event that was sent. */
export type Answered = Wait & { readonly lastOkAt?: UnixSeconds | undefined }

/** Why an event is settled although the target does not hold it. */
export type Refusal = Pick<Wait, 'reason' | 'isOrphan' | 'obstacle'> & { readonly wasSent?: boolean }

/** What the fates of a run need. `software`: what the target runs, kept with each refusal. */
export type FateContext = {
  readonly state: TargetState
  readonly ledger: Ledger
  /** When the run began. */
  readonly now: UnixSeconds
  readonly software: string | undefined
}

const PIECE = 500

/** The fates of the events of one run. Every verb throws TypeError for a state that `FOLLOWS` does not name. */
export class Fate {
  readonly #context: FateContext

  constructor(context: FateContext) {
    this.#context = context
  }

  /** Keeps a fetched event to be judged; the versions of its address that lose against another are superseded. */
  take(event: NostrEvent, origin: Origin): void {
    const { state, ledger } = this.#context
    for (const loser of state.spoolRows.insert(event, origin)) ledger.drop(loser.layer, 'superseded')
  }

  /** It is wanted and the target lacks it: it is sent in this stage. */
  makeReady(spooled: SpooledEvent, stage: number): void {
    const { state, ledger } = this.#context
    this.#follow(spooled, 'ready')
    state.spoolRows.makeReady(spooled.event.id, stage)
    if (spooled.isLate && (spooled.state === 'candidate' || spooled.state === 'outside'))
      ledger.count(spooled.layer, 'lateArrivals')
  }

  /** It was sent; whether the target serves it is still to be asked. */
  confirmLater(spooled: SpooledEvent, answered: Answered): void {
    this.#change(spooled, 'confirming', { ...answered, wasSent: true })
  }

  /** It is not settled: a later run tries again, or this one when what it waits for arrives. */
  park(spooled: SpooledEvent, wait: Wait & { readonly wasSent?: boolean } = {}): void {
    this.#change(spooled, 'parked', wait)
  }

  /** It goes on waiting as it was, for this reason and this parent. */
  explain(spooled: SpooledEvent, reason: string, obstacle: string): void {
    this.#follow(spooled, 'parked', 'parked')
    this.#context.state.spoolRows.explain(spooled.event.id, reason, obstacle)
  }

  /** The target does not take it, or has something else in its place: remembered with the reason. */
  refuse(spooled: SpooledEvent, outcome: Outcome, refusal: Refusal = {}): void {
    const { ledger, software } = this.#context
    this.#change(spooled, 'refused', { outcome, software, ...refusal })
    ledger.settle(spooled.layer, outcome)
  }

  /** The target holds it and does not serve it: remembered, for asking again would bring the same answer. */
  hold(spooled: SpooledEvent): void {
    const { ledger, software } = this.#context
    this.#change(spooled, 'held', { outcome: 'duplicate', software })
    ledger.settle(spooled.layer, 'duplicate')
  }

  /** The target serves it, or there is nothing left to serve: the row is gone. */
  settle(spooled: SpooledEvent, outcome: Outcome): void {
    this.#remove(spooled)
    this.#context.ledger.settle(spooled.layer, outcome)
  }

  /** It is not wanted. */
  drop(spooled: SpooledEvent, why: string): void {
    this.#remove(spooled)
    this.#context.ledger.drop(spooled.layer, why)
  }

  /**
   * It is counted elsewhere, or nowhere: the target held it all along, it lies outside the window, its memory has
   * lapsed.
   */
  forget(spooled: SpooledEvent): void {
    this.#remove(spooled)
  }

  /** A refusal gets a new start: parked from now on, and to be sent; an orphan once its parent is served. */
  reopen(spooled: SpooledEvent, { isOrphan = false } = {}): void {
    this.#follow(spooled, 'parked', 'refused')
    this.#context.state.spoolRows.reopen(spooled.event.id, this.#context.now, { isOrphan })
  }

  /** A refusal of this run that did not mean the event: parked, and not counted any more. */
  takeBack(spooled: SpooledEvent, reason: string): void {
    const { ledger } = this.#context
    const { outcome = 'refused', isOrphan, layer } = spooled
    this.#follow(spooled, 'parked', 'refused')
    this.#change(spooled, 'parked', { outcome: 'unsent', reason, isOrphan })
    ledger.settle(layer, outcome, -1)
  }

  /** What reopens it has come: a run that starts after `from` tries it. */
  tryAgain(spooled: SpooledEvent, from: UnixSeconds): void {
    this.#context.state.spoolRows.tryAgain(spooled.event.id, from)
  }

  /** Every refusal gets a new start. What depends on others still waits for them. */
  reopenAll(): void {
    this.#context.state.spoolRows.reopenAll(this.#context.now)
  }

  /** So does what was settled because of something that the target held. */
  reopenDisplaced(): void {
    this.#context.state.spoolRows.reopenDisplaced(this.#context.now)
  }

  /**
   * A run ended early: what was not judged is fetched again, what was selected is parked, with this reason where none
   * stands.
   */
  recover(reason: string): void {
    this.#context.state.spoolRows.recover(reason, this.#context.now)
  }

  /** Parents before children among what is ready. */
  orderByParents(): void {
    this.#context.state.spoolRows.orderByParents()
  }

  /** Nothing is sent: what would be counts as published. */
  countReady(): void {
    const { state, ledger } = this.#context
    for (const piece of state.spool.inState('ready', PIECE))
      for (const { layer } of piece) ledger.count(layer, 'published')
  }

  #change(spooled: SpooledEvent, state: SpoolState, change: Omit<RowChange, 'state'>): void {
    this.#follow(spooled, state)
    this.#context.state.spoolRows.change(spooled.event.id, { state, ...change }, this.#context.now)
  }

  #remove(spooled: SpooledEvent): void {
    this.#follow(spooled, 'gone')
    this.#context.state.spoolRows.remove(spooled.event.id)
  }

  /** `from`: the only state that this verb is for, where it is for one. */
  #follow({ state, event }: SpooledEvent, next: SpoolState | 'gone', from = state): void {
    if (state === from && FOLLOWS[state].includes(next)) return
    throw new TypeError(`event ${event.id}: ${state} is not followed by ${next}`)
  }
}
