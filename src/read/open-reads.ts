/*
 * Filters that were read to their end, while the relay may still take that back (rule 1).
 *
 * Reading goes on meanwhile. A filter that was taken back is read again, at most twice: the relay may have learnt who
 * we are, or an event arrived between its EOSE and our CLOSE. If it is taken back once more, it is not drained.
 */
import type { Aftermath } from '../relay/aftermath.ts'

/** A reading that ended in full. `repeats`: how often it has been repeated. */
export type OpenRead<Asked> = { readonly asked: Asked; readonly aftermath: Aftermath; readonly repeats: number }

/** A reading that the relay took back, and why. It is repeated, or else not drained for that reason. */
export type TakenBack<Asked> = OpenRead<Asked> & { readonly reason: string; readonly isWorthRepeating: boolean }

const MAX_REPEATS = 2

/** The readings of a run that a relay may still take back. */
export class OpenReads<Asked> {
  #reads: readonly OpenRead<Asked>[] = []

  /** Adds a reading, and forgets those that can no longer be taken back. */
  add(read: OpenRead<Asked>): void {
    this.#reads = [...this.#reads.filter(({ aftermath }) => isUndecided(aftermath)), read]
  }

  /** Removes and returns the chosen readings that were taken back so far. */
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
