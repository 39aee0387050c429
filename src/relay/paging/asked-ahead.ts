import type { Filter } from '../../nostr/filter.ts'
import type { Page } from '../endpoint.ts'

type Request = (filter: Filter) => Promise<Page>

/** Asks for a page before its turn comes: one at most. */
export class AskedAhead {
  readonly #ask: Request
  #asked: { readonly filter: Filter; readonly page: Promise<Page> } | undefined

  constructor(ask: Request) {
    this.#ask = ask
  }

  /** Asks for a page that will probably be wanted. */
  ask(filter: Filter): void {
    const page = this.#ask(filter)
    // Whoever wants the page gets the error.
    page.catch(() => undefined)
    this.#asked = { filter, page }
  }

  /** Returns the page: the one that was asked for ahead, if it is the same. */
  readonly request: Request = (filter) => {
    const ahead = this.#asked
    if (ahead === undefined || !isSame(ahead.filter, filter)) return this.#ask(filter)
    this.#asked = undefined
    return ahead.page
  }
}

function isSame(a: Filter, b: Filter): boolean {
  return a.until === b.until && a.limit === b.limit && JSON.stringify(a) === JSON.stringify(b)
}
