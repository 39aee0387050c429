import type { LayerName } from '../layer-name.ts'
import type { Difference } from '../report/report.ts'

/** Strangers may use any kind and name any repository: from here on repositories are not told apart (rule 8). */
const MOST_ROWS = 100_000

type Counts = { targetHas: number; missing: number }

/** Counts the events that the target was seen to hold, and those that it lacks, by layer, kind and repository. */
export class DifferenceTally {
  readonly #counts = new Map<string, Counts>()
  readonly #mostRows: number

  /** `mostRows`: how many rows there may be before events of further repositories are counted without them. */
  constructor(mostRows: number = MOST_ROWS) {
    this.#mostRows = mostRows
  }

  /** Counts one event. */
  add(side: keyof Counts, { layer, kind, repository }: Pick<Difference, 'layer' | 'kind' | 'repository'>): void {
    this.#countsOf(JSON.stringify([layer, kind, repository]), JSON.stringify([layer, kind, null]))[side] += 1
  }

  /** The number of events that the target lacks. */
  get missing(): number {
    return [...this.#counts.values()].reduce((total, { missing }) => total + missing, 0)
  }

  /** What was counted, in a fixed order. */
  rows(): Difference[] {
    return [...this.#counts.keys()].sort().map((key) => {
      const [layer, kind, repository] = JSON.parse(key) as [LayerName, number, string | null]
      const { targetHas, missing } = this.#counts.get(key) ?? { targetHas: 0, missing: 0 }
      return { layer, kind, repository, sourceHas: targetHas + missing, targetHas, missing }
    })
  }

  #countsOf(key: string, keyOfOthers: string): Counts {
    const known = this.#counts.get(key)
    if (known !== undefined) return known
    if (this.#counts.size >= this.#mostRows && key !== keyOfOthers) return this.#countsOf(keyOfOthers, keyOfOthers)
    const counts = { targetHas: 0, missing: 0 }
    this.#counts.set(key, counts)
    return counts
  }
}
