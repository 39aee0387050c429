import { LockedError, UsageError } from '../errors.ts'

/** One way a run can end: the number for scripts, a word for the verdict, a sentence for the help. */
export type ExitCode = { readonly code: number; readonly word: string; readonly meaning: string }

/** All exit codes of the program. The help and the README print this table. */
export const EXIT_CODES: readonly ExitCode[] = [
  { code: 0, word: 'complete', meaning: 'read to the end; every event is held, or refused for good' },
  { code: 1, word: 'failed', meaning: 'target unreachable or refuses us; state file unreadable' },
  { code: 2, word: 'wrong usage', meaning: 'wrong options or configuration; nothing was done' },
  { code: 3, word: 'partial', meaning: 'a source not read to its end, or events wait: run again' },
  { code: 4, word: 'locked', meaning: 'another run for this target holds the lock' },
  { code: 5, word: 'differences', meaning: 'check found that the target differs, in events or git data' },
  { code: 130, word: 'interrupted', meaning: 'stopped by SIGINT (Ctrl-C); the next run goes on from here' },
  { code: 143, word: 'terminated', meaning: 'stopped by SIGTERM; the next run goes on from here' },
]

/** The word for an exit code; `ended` for an unknown one. */
export function exitWord(code: number): string {
  return EXIT_CODES.find((exit) => exit.code === code)?.word ?? 'ended'
}

/** From the worst to the best: what must be mended comes before what the next run mends. */
const WORST_FIRST = [1, 2, 3, 4, 5]

/** The exit code of several runs: that of the worst of them. */
export function worstExit(codes: readonly number[]): number {
  return WORST_FIRST.find((code) => codes.includes(code)) ?? 0
}

/** The exit code for a thrown error that ended a run. */
export function exitCodeOf(thrown: unknown): number {
  if (thrown instanceof UsageError) return 2
  return thrown instanceof LockedError ? 4 : 1
}
