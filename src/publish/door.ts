import type { NostrEvent } from '../nostr/event.ts'
import { KIND } from '../nostr/kinds.ts'
import type { Classification } from '../relay/answers.ts'
import type { Answer } from '../relay/endpoint.ts'
import type { Stop } from '../run/stop.ts'
import { gistOf } from './gist.ts'

/** What a doorkeeper must know of the run, and whom it tells. */
export type DoorOptions = {
  /** Number of announcements in a `listed` scope; `Infinity` for other scopes. */
  readonly announcements: number
  /** Whether the target took anything from us in earlier runs. */
  readonly hasAccepted: boolean
  /** Called when the target takes the first event of this run. */
  readonly onAccepted: () => void
  /** Called when nothing more may be sent. */
  readonly onEnd: () => void
}

/** After this many complaints in a row, each at a slower pace, the relay does not mean the pace. */
const COMPLAINTS_MOST = 20
/** After this many events in a row without an answer the target counts as gone. */
const UNANSWERED_MOST = 64
const DOOR_AFTER_EVENTS = 8
const DOOR_AFTER_AUTHORS = 2

/**
 * Notices that the target refuses us, not the events: it says so; it has taken nothing from us and gives one text for
 * eight events of two authors; or it gives one text for every announcement of a `listed` scope. Also notices that the
 * target is gone: 64 events in a row are unanswered, or `rate-limited:` at any pace. One serves a whole run.
 */
export class Doorkeeper {
  readonly #options: DoorOptions
  readonly #refusals = new OneText()
  readonly #announcements = new OneText()
  #end: Stop | undefined
  #hasAccepted = false
  #unanswered = 0
  #complaints = 0

  constructor(options: DoorOptions) {
    this.#options = options
  }

  /** Why nothing more may be sent; `undefined` while the door is open. */
  get end(): Stop | undefined {
    return this.#end
  }

  /** Notes that the target wants a slower pace. */
  noteComplaint(reason: string): void {
    this.#complaints += 1
    if (this.#complaints >= COMPLAINTS_MOST) this.#stop({ type: 'stopped', reason })
  }

  /** Notes the answer to an event, or that none came. */
  note(event: NostrEvent, answer: Exclude<Answer, { type: 'expired' }>, meaning: Classification | undefined): void {
    if (answer.type === 'unanswered') {
      this.#unanswered += 1
      if (this.#unanswered >= UNANSWERED_MOST) this.#stop({ type: 'stopped', reason: answer.reason })
      return
    }
    this.#unanswered = 0
    this.#complaints = 0
    if (answer.accepted) return this.#noteAccepted(event)
    if (meaning?.type !== 'outcome') return this.#stop({ type: 'door', reason: answer.text })
    this.#noteRefusal(event, answer.text, meaning)
  }

  #noteAccepted({ kind }: NostrEvent): void {
    this.#refusals.differ()
    if (kind === KIND.announcement) this.#announcements.differ()
    if (!this.#hasAccepted) this.#options.onAccepted()
    this.#hasAccepted = true
  }

  /** A text that is known to be about the event says nothing about us, however often it comes. */
  #noteRefusal(
    event: NostrEvent,
    reason: string,
    { isVague, isUnlisted }: Extract<Classification, { type: 'outcome' }>,
  ): void {
    this.#refusals.note(event, isVague === true ? reason : undefined)
    if (!this.#options.hasAccepted && this.#refusals.isDoor()) this.#stop({ type: 'door', reason })
    if (event.kind !== KIND.announcement) return
    this.#announcements.note(event, isVague === true || isUnlisted === true ? reason : undefined)
    if (this.#announcements.count < this.#options.announcements) return
    this.#stop({ type: 'door', reason, doubtsService: true })
  }

  #stop(end: Stop): void {
    this.#end ??= end
    this.#options.onEnd()
  }
}

/** The refused events, while all have one text. */
class OneText {
  #gist: string | undefined
  #hasDiffered = false
  readonly #ids = new Set<string>()
  readonly #authors = new Set<string>()

  get count(): number {
    return this.#ids.size
  }

  /** Notes a refusal; `undefined`: its text does not count. */
  note({ id, pubkey }: NostrEvent, text: string | undefined): void {
    if (this.#hasDiffered) return
    const gist = text === undefined ? undefined : gistOf(text)
    this.#gist ??= gist
    if (gist === undefined || gist !== this.#gist) return this.differ()
    this.#ids.add(id)
    this.#authors.add(pubkey)
  }

  /** Notes a different answer: from now on nothing counts. */
  differ(): void {
    this.#hasDiffered = true
    this.#ids.clear()
    this.#authors.clear()
  }

  isDoor(): boolean {
    return this.#ids.size >= DOOR_AFTER_EVENTS && this.#authors.size >= DOOR_AFTER_AUTHORS
  }
}
