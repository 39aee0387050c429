import type { ScopedRun } from '../scope/scoped-run.ts'
import { showsNothing } from './emptiness.ts'

/**
 * Whether the target is a relay that shows no event at all, asked at most once a run. Then a comparison with it finds
 * everything missing, and pages bring the same in fewer round trips. That may be a wrong guess, but nothing rests on it:
 * each event that a source brings is asked for at the target before it is sent.
 */
export class BareTarget {
  readonly #run: Pick<ScopedRun, 'target' | 'world'>
  #answer: Promise<boolean> | undefined

  constructor(run: Pick<ScopedRun, 'target' | 'world'>) {
    this.#run = run
  }

  /** Asks the target, unless it has shown something, in this run or an earlier one. */
  showsNothing(): Promise<boolean> {
    this.#answer ??= this.#ask()
    return this.#answer
  }

  async #ask(): Promise<boolean> {
    const { target, world } = this.#run
    // A file is near, and reading it may fail.
    if (target.endpoint.kind === 'file') return false
    return !target.breadth.hasShown && world.state.known.count() === 0 && (await showsNothing(target.endpoint))
  }
}
