import { addressOf } from '../nostr/address.ts'
import type { NostrEvent } from '../nostr/event.ts'
import { createWitness } from '../run/witness-log.ts'
import type { TargetState } from '../store/target-state.ts'
import type { Witness } from '../store/witnesses.ts'

/** The announcements that the target served in earlier runs, until it is known whether it still does. */
export class ServedBefore {
  readonly #state: TargetState
  readonly #expected: Map<string, Witness>

  constructor(state: TargetState) {
    this.#state = state
    this.#expected = new Map()
    for (const event of state.anchors.servedAnnouncements()) {
      const address = addressOf(event) ?? ''
      this.#expected.set(address, createWitness(event, [address]))
    }
  }

  /** Notes that the target serves these, in the expected version or a newer one. */
  see(events: Iterable<NostrEvent>): void {
    for (const event of events) {
      const address = addressOf(event) ?? ''
      if ((this.#expected.get(address)?.createdAt ?? Infinity) <= event.created_at) this.#expected.delete(address)
    }
  }

  /** Notes, after a comparison, that the target serves everything that is still known. */
  seeKnown(): void {
    this.see(this.#state.anchors.servedAnnouncements())
  }

  /** The addresses that were not seen yet. */
  unseen(): readonly string[] {
    return [...this.#expected.keys()]
  }

  /** Removes and returns the announcements that the target, read to its end, did not show: known no longer. */
  takeLost(): readonly Witness[] {
    const lost = [...this.#expected.values()]
    this.#expected.clear()
    this.#state.transaction(() => this.#state.known.remove(lost.map(({ id }) => id)))
    return lost
  }
}
