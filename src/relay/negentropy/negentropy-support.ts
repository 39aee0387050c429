import type { NegentropyAnswer } from './negentropy-session.ts'
import { readRefusal } from '../socket/refusal.ts'

/** How long to wait for the first NIP-77 answer of a relay not yet known to support it. */
const FIRST_ANSWER_MS = 5_000

/**
 * Whether one relay supports NIP-77, as seen in this run. NIP-11 does not decide: the first session tries it, and all
 * others wait for the result.
 */
export class NegentropySupport {
  readonly #firstAnswerMs: number
  #verdict: 'unknown' | 'yes' | 'no' = 'unknown'
  #reason = ''
  #trial: Promise<unknown> | undefined

  /** @param firstAnswerMs @default 5 s */
  constructor(firstAnswerMs = FIRST_ANSWER_MS) {
    this.#firstAnswerMs = firstAnswerMs
  }

  /** Why NIP-77 is no longer tried at this relay; `undefined` while it may be. */
  get refusal(): string | undefined {
    return this.#verdict === 'no' ? this.#reason : undefined
  }

  /** Notes that NIP-77 must not be tried at this relay again. */
  refuse(reason: string): void {
    this.#verdict = 'no'
    this.#reason = reason
  }

  /** Returns the answer to the opening of a session. `open` gets a deadline while the relay's support is unknown. */
  async firstAnswer(open: (idleTimeoutMs?: number) => Promise<NegentropyAnswer>): Promise<NegentropyAnswer> {
    while (this.#verdict === 'unknown' && this.#trial !== undefined) await this.#trial
    if (this.#verdict === 'no') return { type: 'refused', reason: this.#reason }
    if (this.#verdict === 'yes') return open()
    const trial = this.#try(open)
    this.#trial = trial
    return trial
  }

  async #try(open: (idleTimeoutMs?: number) => Promise<NegentropyAnswer>): Promise<NegentropyAnswer> {
    const answer = await open(this.#firstAnswerMs)
    this.#trial = undefined
    this.#judge(answer)
    if (answer.type === 'idle') return { type: 'refused', reason: this.#reason }
    return answer
  }

  #judge(answer: NegentropyAnswer): void {
    switch (answer.type) {
      case 'msg':
        this.#verdict = 'yes'
        return
      case 'idle':
        return this.refuse(`no answer to NEG-OPEN within ${this.#firstAnswerMs / 1000} s`)
      case 'refused':
      case 'error':
        if (isTooMany(answer)) this.#verdict = 'yes'
        // Too busy, or not authenticated yet: that says nothing about NIP-77.
        else if (readRefusal(answer.reason) === 'final') this.refuse(answer.reason)
        return
      case 'disconnected':
        // Some relays hang up on unknown messages. If the relay is gone, reading pages fails too.
        return this.refuse(`it hung up at NEG-OPEN: ${answer.reason}`)
    }
  }
}

/** Whether the relay refuses because the filter matches more events than it compares at once. */
export function isTooMany(answer: NegentropyAnswer): boolean {
  if (answer.type !== 'error') return false
  return (
    answer.cap !== undefined ||
    /\btoo many (?:query |negentropy )?(?:results|events|records|items)\b/i.test(answer.reason)
  )
}
