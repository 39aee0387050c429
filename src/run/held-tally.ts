import type { LayerName } from '../layer-name.ts'

/** How many events of each layer, kind and repository the target was seen to hold. */
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

/** Names a layer, a kind and a repository as one text, as JSON. */
export function tallyKey(layer: LayerName, kind: number, repository: string | undefined): string {
  return JSON.stringify([layer, kind, repository ?? null])
}
