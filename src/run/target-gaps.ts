const MAX_REASONS = 20

/**
 * Reasons why a target that answers may still hide something: more events in one second than its pages hold. Known ids
 * and addresses are asked for anyway and the run goes on, but it is not complete: an event that only the target has may
 * lead to more.
 */
export class TargetGaps {
  readonly #reasons = new Map<string, number>()
  #others = 0

  note(reason: string): void {
    const count = this.#reasons.get(reason)
    // Strangers choose the seconds: a few are listed, the others counted.
    if (count === undefined && this.#reasons.size >= MAX_REASONS) this.#others += 1
    else this.#reasons.set(reason, (count ?? 0) + 1)
  }

  get isEmpty(): boolean {
    return this.#reasons.size === 0
  }

  /** Each reason with how often it was met. */
  list(): readonly (readonly [reason: string, count: number])[] {
    const others = this.#others === 0 ? [] : [['more of the same', this.#others] as const]
    return [...this.#reasons, ...others]
  }
}
