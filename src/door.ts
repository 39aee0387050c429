import type { Classification } from './relay/answers.ts'
import type { Answer } from './relay/endpoint.ts'

/** Publishing stopped early, and why; everything unsent is parked. */
export type PublishStop = { readonly type: 'door' | 'stopped' | 'deadline'; readonly reason: string }

/** Complaints in a row, each about a slower pace than the one before: then the relay does not mean the pace. */
const COMPLAINTS_MOST = 20
const DOOR_AFTER = 20

/**
 * Notices that the target refuses us and not the events: it says so, or it has the same unknown text for each of the
 * first 20 events. And that it is gone: a whole window of events without an answer, or `rate-limited:` at any pace.
 */
export class Doorkeeper {
  readonly #window: number
  readonly #onEnd: () => void
  #end: PublishStop | undefined
  #answered = 0
  #isOneText = true
  #firstText: string | undefined
  #unanswered = 0
  #complaints = 0

  /** `onEnd` hears of it as soon as nothing more shall be sent. */
  constructor(window: number, onEnd: () => void) {
    this.#window = window
    this.#onEnd = onEnd
  }

  /** Why nothing more shall be sent; `undefined` while the door is open. */
  get end(): PublishStop | undefined {
    return this.#end
  }

  /** The target wants a slower pace. */
  noteComplaint(reason: string): void {
    this.#complaints += 1
    if (this.#complaints >= COMPLAINTS_MOST) this.#stop('stopped', reason)
  }

  /** The target answered an event, or did not. */
  note(answer: Answer, meaning: Classification | undefined): void {
    if (answer.type === 'unanswered') {
      this.#unanswered += 1
      if (this.#unanswered >= this.#window) this.#stop('stopped', answer.reason)
      return
    }
    this.#unanswered = 0
    this.#complaints = 0
    if (meaning?.type === 'door' || meaning?.type === 'auth-required') this.#stop('door', answer.text)
    this.#noteText(answer.text, meaning?.type === 'outcome' && !meaning.known)
  }

  #noteText(text: string, isUnknown: boolean): void {
    this.#answered += 1
    this.#firstText ??= text
    this.#isOneText &&= isUnknown && text === this.#firstText
    if (this.#answered === DOOR_AFTER && this.#isOneText) this.#stop('door', text)
  }

  #stop(type: PublishStop['type'], reason: string): void {
    this.#end ??= { type, reason }
    this.#onEnd()
  }
}
