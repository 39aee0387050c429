import { pause } from '../relay/pace/backoff.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'

/** What ends a run. */
export type RunTime = Pick<ScopedRun['world'], 'signal' | 'deadline'>

const FIRST_PAUSE_MS = 100
const TRIES = 9

/**
 * Asks until the answer is final, for some 25 seconds at most or until the run ends, and returns the last answer. A
 * relay works on after it answered: it makes a repository, or releases what it held back.
 */
export async function giveTime<T>(
  ask: () => Promise<T>,
  isFinal: (answer: T) => boolean,
  { signal, deadline }: RunTime,
): Promise<T> {
  const isOver = AbortSignal.any([signal, deadline])
  let answer = await ask()
  for (let tried = 1; tried < TRIES && !isFinal(answer) && !isOver.aborted; tried += 1) {
    await pause(FIRST_PAUSE_MS * 2 ** (tried - 1), isOver)
    answer = await ask()
  }
  return answer
}
