import { describe, expect, it } from 'vitest'

import { isDeleted, recordDeletion } from '../src/run/withdrawn.ts'
import type { NostrEvent } from '../src/nostr/event.ts'
import { announcement, deletion, graspList, issue, repositoryAddress, state } from './support/builders.ts'
import { keyOf } from './support/sign.ts'
import { openTemporaryState } from './support/temporary-state.ts'

const alice = keyOf('alice')
const bob = keyOf('bob')
const address = repositoryAddress(alice, 'repo')

/** Whether an event is deleted once these were recorded. */
function deletedBy(event: NostrEvent, ...deletions: readonly NostrEvent[]): boolean {
  const { run } = openTemporaryState().state
  for (const each of deletions) recordDeletion(each, run)
  return isDeleted(event, run)
}

describe('a deletion', () => {
  it('removes an id of its own author', () => {
    const event = issue(address, alice)
    expect(deletedBy(event, deletion({ ids: [event.id] }, alice))).toBe(true)
  })

  it('removes no id of another author', () => {
    const event = issue(address, bob)
    expect(deletedBy(event, deletion({ ids: [event.id] }, alice))).toBe(false)
  })

  it.each([
    ['older', 99, true],
    ['of the same second', 100, true],
    ['newer', 101, false],
  ])('by address removes versions that are %s', (_, createdAt, isGone) => {
    const gone = deletion({ addresses: [address] }, alice, { createdAt: 100 })
    expect(deletedBy(announcement(alice, 'repo', { createdAt }), gone)).toBe(isGone)
  })

  it('by address removes no version of another author', () => {
    const gone = deletion({ addresses: [repositoryAddress(bob, 'repo')] }, alice)
    expect(deletedBy(announcement(bob, 'repo'), gone)).toBe(false)
  })

  it('by address removes nothing of another kind or identifier', () => {
    const gone = deletion({ addresses: [address] }, alice)
    expect(deletedBy(state(alice, 'repo'), gone)).toBe(false)
    expect(deletedBy(announcement(alice, 'repository'), gone)).toBe(false)
  })

  it('by address takes replaceable kinds without an identifier', () => {
    expect(deletedBy(graspList(alice, []), deletion({ addresses: [`10317:${alice.pubkey}:`] }, alice))).toBe(true)
  })

  it('of an id holds whatever the times', () => {
    const event = announcement(alice, 'repo', { createdAt: 200 })
    expect(deletedBy(event, deletion({ ids: [event.id] }, alice, { createdAt: 100 }))).toBe(true)
  })

  it('is never deleted itself', () => {
    const first = deletion({ ids: ['0'.repeat(64)] }, alice)
    expect(deletedBy(first, deletion({ ids: [first.id] }, alice))).toBe(false)
  })

  it('counts up to the newest of several by address, whatever order they come in', () => {
    const [old, recent] = [100, 200].map((createdAt) => deletion({ addresses: [address] }, alice, { createdAt }))
    const event = announcement(alice, 'repo', { createdAt: 150 })
    if (old === undefined || recent === undefined) throw new Error('two deletions')
    expect([deletedBy(event, recent, old), deletedBy(event, old, recent)]).toEqual([true, true])
  })

  it('is of kind 5: no other kind deletes', () => {
    const event = issue(address, alice)
    expect(deletedBy(event, { ...deletion({ ids: [event.id] }, alice), kind: 1 })).toBe(false)
  })
})
