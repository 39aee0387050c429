import type { LayerName } from '../layer-name.ts'

/** Counts the events that the target was seen to hold, by layer, kind and repository. */
export class HeldTally {
  readonly #counts = new Map<string, number>()

  /** Counts one event. */
  add(layer: LayerName, kind: number, repository: string | undefined): void {
    const key = tallyKey(layer, kind, repository)
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
  }

  /** The counts by `tallyKey`. */
  counts(): ReadonlyMap<string, number> {
    return this.#counts
  }
}

/** Returns a layer, a kind and a repository as one JSON text. */
export function tallyKey(layer: LayerName, kind: number, repository: string | undefined): string {
  return JSON.stringify([layer, kind, repository ?? null])
}
