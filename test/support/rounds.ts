import type { Page } from '../../src/relay/endpoint.ts'

/** Relays far away: what is asked before any answer has arrived takes one round trip together. */
export type Rounds = {
  /** How many there were so far. */
  readonly count: number
  /** Answers with the page in the next round. */
  answer(page: Page): Promise<Page>
}

/** So long the event loop may turn without a question before the answers arrive. */
const IDLE_TURNS = 20

/** A clock that ticks when nothing more is asked without an answer; several relays may share it. */
export function createRounds(): Rounds {
  let [count, idle] = [0, 0]
  const held: (() => void)[] = []
  const turn = (): void => {
    idle += 1
    if (idle < IDLE_TURNS) return void setImmediate(turn)
    count += 1
    for (const arrive of held.splice(0)) arrive()
  }
  return {
    get count() {
      return count
    },
    answer(page) {
      idle = 0
      return new Promise((resolve) => {
        if (held.push(() => resolve(page)) === 1) setImmediate(turn)
      })
    },
  }
}
