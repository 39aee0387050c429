import { describe, expect, it } from 'vitest'

import type { NostrEvent } from '../src/nostr/event.ts'
import { SiblingTurns } from '../src/publish/sibling-turns.ts'
import { announcement, issue, repositoryAddress, state } from './support/builders.ts'
import { alice, bob } from './support/scenes.ts'
import { waitFor } from './support/wait-for.ts'

const hello = repositoryAddress(alice, 'hello')
const other = repositoryAddress(alice, 'other')
const [first, second, third] = ['1', '2', '3'].map((content) => issue(hello, bob, { content })) as [
  NostrEvent,
  NostrEvent,
  NostrEvent,
]
const elsewhere = issue(other, bob)
const both = issue(hello, bob, { tags: [['a', other]] })

/** Begins with events, and ends them when it is told to. */
function createLog() {
  const turns = new SiblingTurns()
  const began: NostrEvent[] = []
  const ends = new Map<NostrEvent, () => void>()
  return {
    began,
    begin: (...events: readonly NostrEvent[]) =>
      Promise.all(
        events.map((event) =>
          turns.inTurn(event, () => {
            began.push(event)
            return new Promise<void>((resolve) => ends.set(event, resolve))
          }),
        ),
      ),
    end: (event: NostrEvent) => ends.get(event)?.(),
  }
}

describe('SiblingTurns', () => {
  it('lets one event of a parent go first, and the others when it has ended', async () => {
    const { began, begin, end } = createLog()
    const all = begin(first, second, elsewhere, third)
    expect(began).toEqual([first, elsewhere])
    end(first)
    await waitFor(() => began.length === 4)
    expect(began).toEqual([first, elsewhere, second, third])
    for (const event of [elsewhere, second, third]) end(event)
    await all
  })

  it('lets an event go of which one parent was tried', async () => {
    const { began, begin, end } = createLog()
    const tried = begin(first)
    end(first)
    await tried
    void begin(elsewhere, both)
    expect(began).toEqual([first, elsewhere, both])
  })

  it('remembers 10,000 parents: of one that was forgotten, an event goes first once more', async () => {
    const turns = new SiblingTurns()
    const done = async (): Promise<void> => undefined
    await turns.inTurn(first, done)
    for (let n = 0; n < 10_000; n += 1) {
      const tags = [['a', repositoryAddress(alice, `repository-${n}`)]]
      await turns.inTurn({ ...first, tags }, done)
    }
    const began: NostrEvent[] = []
    const start = (event: NostrEvent): Promise<void> =>
      turns.inTurn(event, () => new Promise<void>(() => began.push(event)))
    void start(second)
    void start(third)
    await done()
    expect(began).toEqual([second])
  })

  it('lets announcements and their states go at once', () => {
    const { began, begin } = createLog()
    const events = [announcement(alice, 'hello'), state(alice, 'hello'), first]
    void begin(...events)
    expect(began).toEqual(events)
  })

  it('lets the others go when the work fails', async () => {
    const turns = new SiblingTurns()
    const failing = turns.inTurn(first, () => Promise.reject(new Error('no')))
    const following = turns.inTurn(second, async () => 'done')
    await expect(failing).rejects.toThrow('no')
    expect(await following).toBe('done')
  })
})
