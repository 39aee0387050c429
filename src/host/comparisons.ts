import type { Filter } from '../nostr/filter.ts'
import { LocalResponder } from '../relay/negentropy/local-responder.ts'
import { decodeMessage, encodeMessage, ProtocolError } from '../relay/negentropy/negentropy-message.ts'
import type { IdSets, OpenSet } from './id-sets.ts'

const MAX_OPEN = 20
/** The version of the protocol that we speak, as the whole answer to any other (NIP-77). */
const OUR_VERSION = '61'

type Comparison = { readonly responder: LocalResponder; readonly set: OpenSet }
type Answer = readonly ['NEG-MSG' | 'NEG-ERR', name: string, text: string]

/** The comparisons by NIP-77 that one client has open. */
export class Comparisons {
  readonly #sets: IdSets
  readonly #open = new Map<string, Comparison>()

  constructor(sets: IdSets) {
    this.#sets = sets
  }

  /** Answers NEG-OPEN; one of the same name ends. */
  open(name: string, filter: Filter, message: unknown): Answer {
    this.close(name)
    if (this.#open.size >= MAX_OPEN) return ['NEG-ERR', name, `blocked: more than ${MAX_OPEN} comparisons are open`]
    const set = this.#sets.open(filter)
    if (set === undefined) return ['NEG-ERR', name, 'blocked: this query is too big']
    this.#open.set(name, { set, responder: new LocalResponder(set.ids) })
    return this.answer(name, message)
  }

  /** Answers NEG-MSG. A message that breaks the protocol ends the comparison. */
  answer(name: string, message: unknown): Answer {
    const comparison = this.#open.get(name)
    if (comparison === undefined) return ['NEG-ERR', name, 'closed: no such comparison is open']
    if (typeof message !== 'string') return this.#fail(name, 'it sends a message that is not hex')
    if (/^6[0-9a-f]/i.test(message) && !message.startsWith(OUR_VERSION)) return ['NEG-MSG', name, OUR_VERSION]
    try {
      return ['NEG-MSG', name, encodeMessage(comparison.responder.answer(decodeMessage(message)))]
    } catch (error) {
      if (error instanceof ProtocolError) return this.#fail(name, error.message)
      throw error
    }
  }

  close(name: string): void {
    this.#open.get(name)?.set.release()
    this.#open.delete(name)
  }

  closeAll(): void {
    for (const name of [...this.#open.keys()]) this.close(name)
  }

  #fail(name: string, reason: string): Answer {
    this.close(name)
    return ['NEG-ERR', name, `invalid: ${reason}`]
  }
}
