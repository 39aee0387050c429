import type { NegentropyAnswer } from './negentropy-session.ts'
import { readRefusal } from '../socket/refusal.ts'

/** How long a relay that was never seen to speak NIP-77 may take for its first answer. */
const FIRST_ANSWER_MS = 5_000

/**
 * Whether one relay speaks NIP-77, as far as this run has seen. NIP-11 does not decide: it is tried once, by the first
 * session, for which all others wait.
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

  /** Why NIP-77 is not tried at this relay again; `undefined` while it may be. */
  get refusal(): string | undefined {
    return this.#verdict === 'no' ? this.#reason : undefined
  }

  /** Notes that NIP-77 must not be tried at this relay again. */
  refuse(reason: string): void {
    this.#verdict = 'no'
    this.#reason = reason
  }

  /** The answer to the opening of a session. `open` gets a deadline as long as nothing is known of the relay. */
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
        // Others are being answered, or it may let us in later: that says nothing of NIP-77.
        else if (readRefusal(answer.reason) === 'final') this.refuse(answer.reason)
        return
      case 'disconnected':
        // Some relays hang up on what they do not know; a relay that is gone fails in pages as well.
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
