/*
 * Many events are sent at a time, but of those with the same parent only one goes first: if the target refuses it as an
 * orphan, the others need not be sent.
 */
import type { NostrEvent } from '../nostr/event.ts'
import { KIND } from '../nostr/kinds.ts'
import { parentsOf } from '../nostr/references.ts'

/** An event whose parent was forgotten goes first once more. */
const MAX_REMEMBERED = 10_000

/** Which parents were tried, and which are being tried. */
export class SiblingTurns {
  readonly #tried = new Set<string>()
  readonly #running = new Map<string, Promise<void>>()

  /** Does the work when one of the event's parents was tried, or no other event is trying them. */
  async inTurn<T>(event: NostrEvent, work: () => Promise<T>): Promise<T> {
    // A state travels with its announcement.
    const parents = event.kind === KIND.state ? [] : parentsOf(event)
    for (let rival = this.#rivalOf(parents); rival !== undefined; rival = this.#rivalOf(parents)) await rival
    const untried = parents.filter((parent) => !this.#tried.has(parent) && !this.#running.has(parent))
    const done = work()
    const ended = done.then(ignore, ignore)
    for (const parent of untried) this.#running.set(parent, ended)
    try {
      return await done
    } finally {
      for (const parent of untried) {
        this.#running.delete(parent)
        this.#remember(parent)
      }
    }
  }

  #remember(parent: string): void {
    this.#tried.add(parent)
    const [oldest] = this.#tried
    if (this.#tried.size > MAX_REMEMBERED && oldest !== undefined) this.#tried.delete(oldest)
  }

  #rivalOf(parents: readonly string[]): Promise<void> | undefined {
    if (parents.some((parent) => this.#tried.has(parent))) return undefined
    return parents.map((parent) => this.#running.get(parent)).find((trial) => trial !== undefined)
  }
}

function ignore(): void {
  // Events that wait need to know that it has ended, not how.
}
