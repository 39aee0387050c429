/*
 * What was read to its end, as long as the relay may still take that back (rule 1).
 *
 * Reading goes on meanwhile. What was taken back is read again, at most twice: the relay may have learnt who we are, or an
 * event arrived in the moment between its EOSE and our CLOSE. What is taken back again is not drained.
 */
import type { Aftermath, Contradiction } from './relay/aftermath.ts'

/** One reading that counted as whole. `repeats`: how often it was made again. */
export type OpenRead<Asked> = { readonly asked: Asked; readonly aftermath: Aftermath; readonly repeats: number }

/** One that does not count: it is made again, or has a reason why not. */
export type TakenBack<Asked> = OpenRead<Asked> & { readonly reason: string; readonly isWorthRepeating: boolean }

const MAX_REPEATS = 2

/** The readings of a run whose ends are open. `isMissing`: whether any of these ids has come in no other way. */
export class OpenReads<Asked> {
  readonly #isMissing: (ids: readonly string[]) => Promise<boolean>
  #reads: readonly OpenRead<Asked>[] = []

  constructor(isMissing: (ids: readonly string[]) => Promise<boolean>) {
    this.#isMissing = isMissing
  }

  /** Notes a reading; those that stand by now are forgotten. */
  add(read: OpenRead<Asked>): void {
    this.#reads = [...this.#reads.filter(({ aftermath }) => isUndecided(aftermath)), read]
  }

  /** Takes out what was taken back so far. */
  async take(isChosen: (asked: Asked) => boolean = () => true): Promise<TakenBack<Asked>[]> {
    const taken: TakenBack<Asked>[] = []
    for (const read of this.#reads) {
      const { contradiction } = read.aftermath
      if (contradiction === undefined || !isChosen(read.asked) || !(await this.#isBelieved(contradiction))) continue
      taken.push({ ...read, reason: contradiction.reason, isWorthRepeating: read.repeats < MAX_REPEATS })
    }
    const gone = new Set(taken.map(({ aftermath }) => aftermath))
    this.#reads = this.#reads.filter(({ aftermath }) => !gone.has(aftermath))
    return taken
  }

  /** Rows that this run knows all the same take nothing back: a relay may send them twice. */
  async #isBelieved({ late, isOverfull }: Contradiction): Promise<boolean> {
    return isOverfull || this.#isMissing(late)
  }
}

function isUndecided({ isOpen, contradiction }: Aftermath): boolean {
  return isOpen || contradiction !== undefined
}
