import { describe, expect, it } from 'vitest'

import { issue } from '../support/builders.ts'
import { keyOf } from '../support/sign.ts'
import { openTemporaryState } from '../support/temporary-state.ts'

const alice = keyOf('alice')
const event = issue('30617:x:y', alice)

describe('the ids seen in a run', () => {
  it('are new once', () => {
    const { run } = openTemporaryState().state
    expect([run.isSeen(event.id), run.markSeen(event, 'threads'), run.markSeen(event, 'repositories')]).toEqual([
      false,
      true,
      false,
    ])
    expect(run.isSeen(event.id)).toBe(true)
  })

  it('know their author', () => {
    const { run } = openTemporaryState().state
    run.markSeen(event, 'threads')
    expect([run.authorOf(event.id), run.authorOf('0'.repeat(64))]).toEqual([alice.pubkey, undefined])
  })

  it('are forgotten by the next run', () => {
    const first = openTemporaryState()
    first.state.run.markSeen(event, 'threads')
    expect(openTemporaryState({ file: first.file }).state.run.isSeen(event.id)).toBe(false)
  })
})

describe('the deletions met in a run', () => {
  it('hold up to the newest of one author', () => {
    const { run } = openTemporaryState().state
    for (const until of [10, 30, 20]) run.addDeletion(alice.pubkey, 'x', until)
    expect([run.deletedUntil(alice.pubkey, 'x'), run.deletedUntil(keyOf('bob').pubkey, 'x')]).toEqual([30, undefined])
  })
})

describe('the vanish requests met in a run', () => {
  it('hold up to the newest of one author', () => {
    const { run } = openTemporaryState().state
    for (const until of [10, 30, 20]) run.addVanishRequest(alice.pubkey, until)
    expect([run.vanishedUntil(alice.pubkey), run.vanishedUntil(keyOf('bob').pubkey)]).toEqual([30, undefined])
  })

  it('are asked for by relay and author', () => {
    const { run } = openTemporaryState().state
    run.markAsked('ws://one', [alice.pubkey])
    const asked = ['ws://one', 'ws://two'].map((relay) => run.isAsked(relay, alice.pubkey))
    expect([...asked, run.isAsked('ws://one', keyOf('bob').pubkey)]).toEqual([true, false, false])
  })
})
