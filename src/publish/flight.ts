import type { SendWindow } from './send-window.ts'

/** Events of any size may be sent; of large ones only a few at a time. */
const MAX_BYTES = 4 * 1024 * 1024

/** Work on events that are in flight: as many as the window allows, and no more than 4 MiB beside the last. */
export class Flight {
  readonly #window: Pick<SendWindow, 'size'>
  #count = 0
  #bytes = 0
  #failure: { readonly error: unknown } | undefined
  #wake: () => void = () => undefined

  constructor(window: Pick<SendWindow, 'size'>) {
    this.#window = window
  }

  /** Resolves when there is room for another event. Rejects with the error of an earlier one. */
  async room(): Promise<void> {
    while (this.#count >= this.#window.size || this.#bytes >= MAX_BYTES) await this.#nextLanding()
    this.#rethrow()
  }

  /** Counts an event of so many bytes as in flight until the work ends. */
  start(bytes: number, work: Promise<void>): void {
    this.#count += 1
    this.#bytes += bytes
    const land = (): void => {
      this.#count -= 1
      this.#bytes -= bytes
      this.#wake()
    }
    work.then(land, (error: unknown) => {
      this.#failure ??= { error }
      land()
    })
  }

  /** Resolves when nothing is in flight. Rejects with the first error. */
  async landed(): Promise<void> {
    while (this.#count > 0) await this.#nextLanding()
    this.#rethrow()
  }

  #nextLanding(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve))
  }

  #rethrow(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }
}
