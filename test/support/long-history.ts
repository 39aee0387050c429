import type { NostrEvent } from '../../src/nostr/event.ts'
import { announcement, comment, issue, repositoryAddress, state, status } from './builders.ts'
import { alice, bob } from './scenes.ts'
import { keyOf } from './sign.ts'

/** A history of so many events, each with a text of this many characters, one a minute. */
export function* longHistory(count: number, characters: number): Generator<NostrEvent> {
  const scenes = manyScenes('x'.repeat(characters))
  for (let number = 0; number < count; number += 1) {
    const next = scenes.next()
    if (next.done !== true) yield next.value
  }
}

function* manyScenes(content: string): Generator<NostrEvent, never> {
  let createdAt = 1_600_000_000
  const extra = (): { createdAt: number; content: string } => ({ createdAt: (createdAt += 60), content })
  for (let number = 0; ; number += 1) {
    const owner = keyOf(`owner ${number}`)
    const address = repositoryAddress(owner, 'repo')
    yield announcement(owner, 'repo', extra())
    yield state(owner, 'repo', extra())
    for (let root = 0; root < 40; root += 1) {
      const bug = issue(address, bob, extra())
      yield bug
      for (let reply = 0; reply < 20; reply += 1) yield comment(bug, alice, extra())
      yield status(1632, bug, owner, extra())
    }
  }
}
