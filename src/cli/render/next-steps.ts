import { INTERRUPTED, NOT_TAKEN, OUT_OF_TIME } from '../../errors.ts'
import { cureOf, type Cure } from '../../relay/answers.ts'
import type { HeldBackRepository, Problem } from '../../report/report.ts'
import type { UnixSeconds } from '../../time.ts'

/** The meaning of a group of problems and the next step; `step` null means that there is nothing to do. */
export type ProblemMeaning = {
  readonly rank: number
  /** Follows the number and the word: `17 waiting: …`. */
  readonly meaning: string
  readonly step: string | null
  /** Whether the number counts events and so comes first. */
  readonly isAboutEvents: boolean
}

/** Problems that concern a relay or a file, not events. */
const ABOUT_PLACES: readonly string[] = [
  'plan',
  'shard',
  'target',
  'key',
  'narrow',
  'empty',
  'source',
  'gap',
  'git',
  'file',
  'notice',
]

const GOES_ON = 'Kept on disk: the next run goes on from there.'
const PUSH = 'Push the repository to the target; the next run asks again.'
const SENT_AGAIN = 'The purgatory has expired; sent again by a run five minutes after that.'
const PUSH_OR_WAIT =
  'Push the repository to the target. If its purgatory has expired, the next run first sends it again.'

/** The next step for events that wait for git data: a push helps only while the target still keeps them. */
export function pendingStep(heldBack: readonly Pick<HeldBackRepository, 'keptUntil'>[], now: UnixSeconds): string {
  const expired = heldBack.filter(({ keptUntil }) => keptUntil !== null && keptUntil <= now).length
  if (expired === 0) return PUSH
  return expired === heldBack.length ? SENT_AGAIN : PUSH_OR_WAIT
}

/** By `Problem.what`, most serious first. */
const MEANINGS: Readonly<Record<string, Pick<ProblemMeaning, 'meaning' | 'step'>>> = {
  plan: {
    meaning: 'more than --max-send allows, so nothing was sent',
    step: 'Is a source an old copy, the scope wider, or the target emptied? Look with --dry-run. If it is right, raise --max-send or leave it out.',
  },
  shard: {
    meaning: 'no report, so nothing is known of its repositories',
    step: 'Run it again with the same options, and merge again.',
  },
  target: {
    meaning: 'it stopped answering, or refuses us',
    step: 'Nothing is lost: what was not settled waits on disk. Run again when the target takes events.',
  },
  key: {
    meaning: 'it asks for authentication (NIP-42)',
    step: 'Give a secret key that it accepts, with --key-file FILE or in NGIT_SYNC_KEY, and run again.',
  },
  narrow: {
    meaning: 'its events cannot be listed',
    step: 'Name the repositories with --repo, or their authors with --author: it answers such questions.',
  },
  empty: {
    meaning: 'there is nothing to read',
    step: 'Is it the right address? After it has once served events, a run in which it serves none is not complete.',
  },
  source: {
    meaning: '',
    step: 'Where it was not read to its end its checkpoint did not move: the next run reads that again.',
  },
  gap: {
    meaning: 'the target may hold more than its pages show',
    step: 'All known events were compared by id and address. The run cannot be complete until the target shows the rest.',
  },
  git: {
    meaning: 'not all of its git repositories could be asked',
    step: 'Whether they can be cloned is not known. Is its git server up, and does it answer at the same address?',
  },
  file: { meaning: 'unreadable lines', step: 'Repair or remove these lines, then run again.' },
  damaged: {
    meaning: 'served, but not what their authors signed',
    step: 'Its storage is damaged, or somebody forges. Once its operator has removed them, `ngit-sync catchup --full` sends the true ones.',
  },
  waiting: {
    meaning: 'not taken by the target yet',
    step: 'Kept on disk, and sent again once the target has what is missing there: run again later.',
  },
  pending: {
    meaning: 'taken, but not served until the git data arrives',
    step: PUSH,
  },
  unanswered: {
    meaning: 'sent, but not confirmed yet',
    step: 'Kept on disk: the next run asks which have arrived, and sends the rest.',
  },
  unsent: {
    meaning: 'kept on disk: publishing stopped first',
    step: 'The next run sends them if the target accepts events.',
  },
  refused: {
    meaning: 'not taken by the target',
    step: "Sent again after 30 days, or when the target's software changes.",
  },
  protected: {
    meaning: 'only the author may publish them (NIP-70)',
    step: 'Ask the author to publish to the target.',
  },
  'too-large': { meaning: 'larger than the target takes', step: "Raise the target's limit, or do without." },
  'given-up': { meaning: 'waited longer than --forget-parked', step: null },
  invalid: { meaning: 'not copied', step: null },
  deleted: { meaning: 'deleted by the author', step: null },
  vanished: { meaning: 'the author asked relays to forget them (NIP-62)', step: null },
  expired: { meaning: 'past their expiration time (NIP-40)', step: null },
  parent: { meaning: 'included although outside the window', step: null },
}

/** Why we, not the target, kept events from being sent. */
const UNSENT: Readonly<Record<string, Pick<ProblemMeaning, 'meaning' | 'step'>>> = {
  [OUT_OF_TIME]: { meaning: 'not sent before --max-duration had passed', step: GOES_ON },
  [INTERRUPTED]: { meaning: 'not sent before the run was interrupted', step: GOES_ON },
  [NOT_TAKEN]: {
    meaning: 'not taken by the target before --max-duration had passed',
    step: 'Kept on disk: the next serve offers it, and the next catchup sends it.',
  },
}

/** Like `meaningOf('unsent')`, for all given reasons. */
export function meaningOfUnsent(reasons: readonly string[]): Pick<ProblemMeaning, 'meaning' | 'step'> {
  const [first = '', ...others] = reasons
  const ours = Object.hasOwn(UNSENT, first) && others.length === 0 ? UNSENT[first] : undefined
  return ours ?? meaningOf('unsent')
}

/** Problems that another run cannot fix by itself: a pattern of the reason, and what the operator has to do first. */
const MENDS: readonly (readonly [says: RegExp, mend: string])[] = [
  [/ bytes that --max-bytes allows/, 'Raise --max-bytes'],
  [
    /: (?:no such file|it is a directory|a part of the path is not a directory|permission denied)/,
    'Name a file that can be read',
  ],
  [/\b(?:ENOTFOUND|EAI_AGAIN)\b/, 'Check the name of the relay'],
  [/: nothing was compared$/, 'Check the address of the source, or name what to copy with --repo or --author'],
  [/: it is (?:compressed|a ZIP|UTF-16)/, 'Convert the file'],
]

/** What the operator has to do before another run can help, without duplicates; empty if a run may help now. */
export function mendsOf(problems: readonly Problem[]): string[] {
  const mends = problems.flatMap(({ what, reason }) => {
    if (what === 'key') return ['Give a secret key that it accepts']
    if (what === 'narrow') return ['Name what to copy with --repo or --author']
    if (what === 'file') return ['Repair or remove the unreadable lines']
    if (what !== 'source') return []
    return MENDS.find(([says]) => says.test(reason))?.[1] ?? []
  })
  return [...new Set(mends)]
}

/** What makes a target accept an event that it refused, judging by its text. */
const CURES: Readonly<Partial<Record<Cure, string>>> = {
  parent: 'when the target serves its parent',
  participation: 'in the run after an event of its author in a thread was accepted',
  operator: "when the target's operator lets it in and you run `ngit-sync retry --refused`",
}

const ORDER = Object.keys(MEANINGS)

/** The meaning of a kind of problem. An unknown kind ranks last and has no meaning besides its reasons. */
export function meaningOf(what: string): ProblemMeaning {
  const isAboutEvents = !ABOUT_PLACES.includes(what)
  const known = Object.hasOwn(MEANINGS, what) ? MEANINGS[what] : undefined
  if (known === undefined) return { rank: ORDER.length, meaning: '', step: null, isAboutEvents }
  return { rank: ORDER.indexOf(what), ...known, isAboutEvents }
}

/** When an event refused with this text is sent again; `undefined` if the text does not tell. */
export function reopeningOf(reason: string): string | undefined {
  const cure = reason.startsWith('parent ') ? 'parent' : cureOf(reason)
  return cure === undefined ? undefined : CURES[cure]
}
