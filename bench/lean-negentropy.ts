import type { Filter } from '../src/nostr/filter.ts'
import { IdCollector } from '../src/relay/negentropy/id-set.ts'
import { LocalResponder } from '../src/relay/negentropy/local-responder.ts'
import { decodeMessage, encodeMessage } from '../src/relay/negentropy/negentropy-message.ts'
import type { EventIndex } from './event-index.ts'

/** The NIP-77 sessions of one connection to a lean relay. */
export class LeanNegentropy {
  readonly #index: EventIndex
  readonly #sessions = new Map<string, LocalResponder>()

  constructor(index: EventIndex) {
    this.#index = index
  }

  /** The answer to a NEG-OPEN or NEG-MSG in hex; `undefined` for a NEG-CLOSE. */
  answer(label: string, id: string, ...[first, second]: readonly unknown[]): string | undefined {
    if (label === 'NEG-CLOSE') {
      this.#sessions.delete(id)
      return undefined
    }
    if (label === 'NEG-OPEN') this.#sessions.set(id, this.#open(first as Filter))
    const message = (label === 'NEG-OPEN' ? second : first) as string
    return encodeMessage(this.#sessions.get(id)?.answer(decodeMessage(message)) ?? [])
  }

  #open(filter: Filter): LocalResponder {
    const ids = new IdCollector()
    for (const { id, created_at } of this.#index.find(filter, Infinity)) ids.add(created_at, id)
    return new LocalResponder(ids.seal())
  }
}
