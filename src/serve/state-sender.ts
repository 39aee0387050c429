/*
 * ngit-grasp asks a bootstrap relay for announcements and lists alone, and for states only the relays that an
 * announcement names (docs/restore.md). An announcement is not served without its state. So states, one for each
 * repository, are sent, as soon as the target has begun to read.
 */
import { KIND } from '../nostr/kinds.ts'
import { classifyAnswer, type Classification } from '../relay/answers.ts'
import type { Answer } from '../relay/endpoint.ts'
import type { Pacer } from '../relay/pace/pacing.ts'
import type { Peer } from '../relay/peer.ts'
import { isTodaysGrasp } from '../relay/software.ts'
import type { Serving } from '../run/world.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import type { SpooledEvent } from '../store/spooled-event.ts'

const BATCH = 240
/** So many in a row without an announcement there: it is still on its way to the target. */
const MAX_ORPHANS = 5
const FIRST_PAUSE_MS = 5_000
const MAX_PAUSE_MS = 30_000

type SendingRun = Pick<ScopedRun, 'world' | 'fate' | 'ledger'>
type Verdict = Extract<Classification, { type: 'outcome' }>

/** Sends states that the target does not serve yet. */
export class StateSender {
  readonly #run: SendingRun
  readonly #serving: Serving
  readonly #pacer: Pacer
  #isWanted: boolean
  #batch: SpooledEvent[] = []
  /** Nothing is sent before this time. */
  #untilMs = -Infinity
  #pauseMs = FIRST_PAUSE_MS
  #orphans = 0
  #hasTaken = false

  constructor(serving: Serving, { target, software, ...run }: SendingRun & Pick<ScopedRun, 'target' | 'software'>) {
    this.#run = run
    this.#serving = serving
    this.#pacer = run.world.createPacer(software)
    this.#isWanted = isTodaysGrasp(target.profile)
  }

  /** Picks out states of these events, which the target was just found not to serve. */
  note(absent: readonly SpooledEvent[]): void {
    if (!this.#isWanted || !this.#serving.relay.wasVisited || this.#run.world.nowMs() < this.#untilMs) return
    const due = absent.filter(isDue)
    // Those that were tried least come first, so that none keeps back the others.
    this.#batch = [...this.#batch, ...due].sort((a, b) => a.attempts - b.attempts).slice(0, BATCH)
  }

  /** Sends what was picked out; returns whether that was anything. */
  async send(target: Peer, end: AbortSignal): Promise<boolean> {
    const batch = this.#batch
    if (batch.length === 0) return false
    this.#batch = []
    this.#orphans = 0
    this.#hasTaken = false
    for (const spooled of batch) {
      const turn = await this.#pacer.turn()
      if (end.aborted || !this.#isWanted) break
      this.#take(spooled, await target.endpoint.publish(spooled.event), turn)
      if (this.#orphans >= MAX_ORPHANS) break
    }
    this.#rest()
    return true
  }

  /** Pauses while announcements are missing at the target, longer each time that it took nothing at all. */
  #rest(): void {
    if (this.#hasTaken) this.#pauseMs = FIRST_PAUSE_MS
    if (this.#orphans === 0) return
    this.#untilMs = this.#run.world.nowMs() + this.#pauseMs
    this.#pauseMs = Math.min(MAX_PAUSE_MS, this.#pauseMs * 2)
  }

  #take(spooled: SpooledEvent, answer: Answer, turn: number): void {
    const { clock, state } = this.#run.world
    // Whether it arrived is asked next.
    if (answer.type !== 'ok') return this.#pacer.taken(turn)
    const meaning = classifyAnswer({ ...answer, event: spooled.event, now: clock() })
    if (meaning.type === 'rate-limited') return void this.#pacer.slowDown(turn)
    this.#pacer.taken(turn)
    const isOrphan = meaning.type === 'outcome' && meaning.orphan !== undefined
    this.#orphans = isOrphan ? this.#orphans + 1 : 0
    this.#hasTaken ||= !isOrphan
    // A target that refuses us may read all the same.
    if (meaning.type !== 'outcome') this.#isWanted = false
    state.transaction(() => {
      this.#count(spooled)
      if (meaning.type === 'outcome') this.#settle(spooled, answer.text, meaning)
      else this.#run.fate.park(spooled, { outcome: 'unsent', reason: answer.text, wasSent: true })
    })
  }

  #count({ event, layer }: SpooledEvent): void {
    if (this.#run.world.state.run.markSent(event.id)) this.#run.ledger.count(layer, 'published')
  }

  #settle(spooled: SpooledEvent, reason: string, { outcome, orphan, error, retryAt }: Verdict): void {
    const { fate, world } = this.#run
    switch (outcome) {
      case 'accepted':
      case 'duplicate':
      case 'superseded':
      case 'pending': {
        const taken = spooled.state === 'ready' ? this.#confirm(spooled, reason, world.clock()) : spooled
        return fate.park(taken, { outcome: 'pending', reason })
      }
      case 'waiting':
      case 'unanswered':
      case 'unsent': {
        const isOrphan = orphan !== undefined
        return fate.park(spooled, {
          outcome: 'waiting',
          reason,
          isOrphan,
          isError: error === true,
          retryAt,
          wasSent: true,
        })
      }
      default:
        return fate.refuse(spooled, outcome, { reason, wasSent: true })
    }
  }

  /** Notes when the target said yes: only some time after that is it sent again. */
  #confirm(spooled: SpooledEvent, reason: string, lastOkAt: number): SpooledEvent {
    this.#run.fate.confirmLater(spooled, { outcome: 'pending', reason, lastOkAt })
    return { ...spooled, state: 'confirming' }
  }
}

function isDue({ event, state, isOrphan }: SpooledEvent): boolean {
  return event.kind === KIND.state && (state === 'ready' || isOrphan)
}
