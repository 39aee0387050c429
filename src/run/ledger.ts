import type { LayerName } from '../layer-name.ts'
import type { LayerReport, Outcome, Problem } from '../report/report.ts'

type Counts = {
  fetched: number
  unique: number
  invalid: number
  held: number
  published: number
  lateArrivals: number
  readonly outcomes: Partial<Record<Outcome, number>>
  readonly dropped: Record<string, number>
}

/** The counts, problems and notes of a run. */
export class Ledger {
  readonly #layers = new Map<LayerName, Counts>()
  readonly #problems = new Map<string, Problem>()
  readonly #notes = new Set<string>()

  constructor(layers: readonly LayerName[]) {
    for (const layer of layers) {
      const zero = { fetched: 0, unique: 0, invalid: 0, held: 0, published: 0, lateArrivals: 0 }
      this.#layers.set(layer, { ...zero, outcomes: {}, dropped: {} })
    }
  }

  /** Adds to one of the counts of a layer. */
  count(
    layer: LayerName,
    what: 'fetched' | 'unique' | 'invalid' | 'held' | 'published' | 'lateArrivals',
    by = 1,
  ): void {
    const counts = this.#layers.get(layer)
    if (counts !== undefined) counts[what] += by
  }

  /** Counts what became of an event at the target; `by` −1 takes one back. */
  settle(layer: LayerName, outcome: Outcome, by: 1 | -1 = 1): void {
    const outcomes = this.#layers.get(layer)?.outcomes
    if (outcomes === undefined) return
    const count = (outcomes[outcome] ?? 0) + by
    if (count > 0) outcomes[outcome] = count
    else delete outcomes[outcome]
  }

  /** Counts an unwanted event under `why`; `by` −1 takes one back. */
  drop(layer: LayerName, why: string, by: 1 | -1 = 1): void {
    const dropped = this.#layers.get(layer)?.dropped
    if (dropped === undefined) return
    const count = (dropped[why] ?? 0) + by
    if (count > 0) dropped[why] = count
    else delete dropped[why]
  }

  /** Adds a problem. Equal problems are counted together, with the first example. */
  problem(problem: Omit<Problem, 'count'> & { readonly count?: number }): void {
    const key = JSON.stringify([problem.what, problem.where, problem.reason])
    const before = this.#problems.get(key)
    const count = (before?.count ?? 0) + (problem.count ?? 1)
    this.#problems.set(key, { ...problem, example: before?.example ?? problem.example, count })
  }

  /** Adds a sentence to the report, once. */
  note(sentence: string): void {
    this.#notes.add(sentence)
  }

  /** The layers in reading order. */
  layers(): LayerReport[] {
    return [...this.#layers].map(([layer, counts]) => ({ layer, ...counts }))
  }

  /** The problems, those with the highest count first. */
  problems(): Problem[] {
    return [...this.#problems.values()].sort((a, b) => b.count - a.count)
  }

  notes(): string[] {
    return [...this.#notes]
  }
}
