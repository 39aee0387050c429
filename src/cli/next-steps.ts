/** What a group of problems means and what follows from it. `step` null: nothing is to be done. */
export type ProblemMeaning = {
  readonly rank: number
  /** Follows the number and the word: `17 waiting: …`. */
  readonly meaning: string
  readonly step: string | null
  /** Whether the number counts events, and so is worth a place in front. */
  readonly counts: 'events' | 'other'
}

/** Kinds of problems that are about a relay or a file, not about events. */
const ABOUT_PLACES: readonly string[] = ['door', 'target', 'source', 'file', 'notice']

/** By `Problem.what`, the gravest first. */
const MEANINGS: Readonly<Record<string, Pick<ProblemMeaning, 'meaning' | 'step'>>> = {
  door: {
    meaning: 'it refuses us, not the events',
    step: 'Nothing was given up: all of it waits on disk. Get access to the target, then run again.',
  },
  target: {
    meaning: 'trouble with the target',
    step: 'Nothing is lost: what was not settled waits on disk. Run again.',
  },
  source: {
    meaning: 'not read to its end',
    step: 'Its checkpoint did not move: the next run reads the same range again.',
  },
  file: { meaning: 'unreadable lines', step: 'Repair or remove these lines, then run again.' },
  waiting: {
    meaning: 'the target does not take them yet',
    step: 'They wait on disk and are sent again once the target has what they belong to: run again later.',
  },
  pending: {
    meaning: 'taken, but not served until the git data arrives',
    step: 'Push the repository to the target; the next run asks for them again.',
  },
  unanswered: {
    meaning: 'sent without an answer',
    step: 'They wait on disk: the next run asks for them and sends what is missing.',
  },
  refused: {
    meaning: 'refused for good',
    step: "They are sent again after 30 days, or when the target's software changes.",
  },
  protected: {
    meaning: 'only their authors may publish them (NIP-70)',
    step: 'Ask the authors to send them to the target.',
  },
  'too-large': { meaning: 'larger than the target takes', step: "Raise the target's limit, or do without them." },
  'given-up': { meaning: 'waited longer than --forget-parked', step: null },
  invalid: { meaning: 'wrong id, signature or content', step: null },
}

const ORDER = Object.keys(MEANINGS)

/** What a kind of problem means; an unknown kind ranks last and means what its reasons say. */
export function meaningOf(what: string): ProblemMeaning {
  const counts = ABOUT_PLACES.includes(what) ? 'other' : 'events'
  const known = Object.hasOwn(MEANINGS, what) ? MEANINGS[what] : undefined
  const { meaning, step } = known ?? { meaning: '', step: null }
  return { rank: known === undefined ? ORDER.length : ORDER.indexOf(what), meaning, step, counts }
}
