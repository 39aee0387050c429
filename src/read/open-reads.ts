/*
 * What was read to its end, as long as the relay may still take that back (rule 1).
 *
 * Reading goes on meanwhile. What was taken back is read again, at most twice: the relay may have learnt who we are, or
 * an event arrived in the moment between its EOSE and our CLOSE. What is taken back again is not drained.
 */
import type { Aftermath } from '../relay/aftermath.ts'

/** One reading that counted as whole. `repeats`: how often it was made again. */
export type OpenRead<Asked> = { readonly asked: Asked; readonly aftermath: Aftermath; readonly repeats: number }

/** One that does not count: it is made again, or has a reason why not. */
export type TakenBack<Asked> = OpenRead<Asked> & { readonly reason: string; readonly isWorthRepeating: boolean }

const MAX_REPEATS = 2

/** The readings of a run whose ends are open. */
export class OpenReads<Asked> {
  #reads: readonly OpenRead<Asked>[] = []

  /** Notes a reading; those that stand by now are forgotten. */
  add(read: OpenRead<Asked>): void {
    this.#reads = [...this.#reads.filter(({ aftermath }) => isUndecided(aftermath)), read]
  }

  /** Takes out what was taken back so far. */
  take(isChosen: (asked: Asked) => boolean = () => true): TakenBack<Asked>[] {
    const taken = this.#reads.flatMap((read) => {
      const reason = isChosen(read.asked) ? read.aftermath.contradiction : undefined
      return reason === undefined ? [] : { ...read, reason, isWorthRepeating: read.repeats < MAX_REPEATS }
    })
    const gone = new Set(taken.map(({ aftermath }) => aftermath))
    this.#reads = this.#reads.filter(({ aftermath }) => !gone.has(aftermath))
    return taken
  }
}

function isUndecided({ isOpen, contradiction }: Aftermath): boolean {
  return isOpen || contradiction !== undefined
}
