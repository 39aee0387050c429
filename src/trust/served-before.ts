import { addressOf } from '../nostr/address.ts'
import type { NostrEvent } from '../nostr/event.ts'
import { createWitness } from '../run/witness-log.ts'
import type { TargetState } from '../store/target-state.ts'
import type { Witness } from '../store/witnesses.ts'

/**
 * The announcements that the target served when the state file was last written, until it is known whether it still
 * does.
 */
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

  /** The target serves these, in this version or a newer one. */
  see(events: Iterable<NostrEvent>): void {
    for (const event of events) {
      const address = addressOf(event) ?? ''
      if ((this.#expected.get(address)?.createdAt ?? Infinity) <= event.created_at) this.#expected.delete(address)
    }
  }

  /** A comparison with what is known is done: what is known still, the target serves. */
  seeKnown(): void {
    this.see(this.#state.anchors.servedAnnouncements())
  }

  /** The addresses of what was not seen yet. */
  unseen(): readonly string[] {
    return [...this.#expected.keys()]
  }

  /** Takes out what the target, whose announcements were read to the end, did not show. It is known no longer. */
  takeLost(): readonly Witness[] {
    const lost = [...this.#expected.values()]
    this.#expected.clear()
    this.#state.transaction(() => this.#state.known.remove(lost.map(({ id }) => id)))
    return lost
  }
}
