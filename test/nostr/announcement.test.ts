import { describe, expect, it } from 'vitest'
import { readAnnouncement } from '../../src/nostr/announcement.ts'
import { keyOf, signEvent } from '../support/sign.ts'
import { realEvents } from './real-events.ts'

const ALICE = keyOf('alice')
const BOB = keyOf('bob').pubkey
const CAROL = keyOf('carol').pubkey

function announcementWith(...tags: string[][]) {
  return readAnnouncement(signEvent(ALICE, { kind: 30617, created_at: 1_750_000_000, tags, content: '' }))
}

describe('readAnnouncement', () => {
  it('reads identifier, address, author and time', () => {
    const event = signEvent(ALICE, { kind: 30617, created_at: 7, tags: [['d', 'a:b']], content: '' })
    expect(readAnnouncement(event)).toEqual({
      id: event.id,
      address: `30617:${ALICE.pubkey}:a:b`,
      pubkey: ALICE.pubkey,
      identifier: 'a:b',
      createdAt: 7,
      maintainers: [],
      clone: [],
      relays: [],
    })
  })

  it('reads all values of a tag and all tags of a name, in order', () => {
    const announcement = announcementWith(
      ['d', 'x'],
      ['relays', 'wss://one.example', 'wss://two.example'],
      ['clone', 'https://one.example/x.git'],
      ['relays', 'wss://three.example'],
      ['maintainers', BOB],
      ['maintainers', CAROL, BOB],
    )
    expect(announcement.relays).toEqual(['wss://one.example', 'wss://two.example', 'wss://three.example'])
    expect(announcement.clone).toEqual(['https://one.example/x.git'])
    expect(announcement.maintainers).toEqual([BOB, CAROL, BOB])
  })

  it('leaves out maintainers that are no public key', () => {
    const { maintainers } = announcementWith(['maintainers', 'npub1xyz', BOB.toUpperCase(), '', BOB])
    expect(maintainers).toEqual([BOB])
  })

  it('takes the absent identifier for the empty one', () => {
    expect(announcementWith(['d'], ['relays'])).toMatchObject({
      identifier: '',
      address: `30617:${ALICE.pubkey}:`,
      relays: [],
    })
  })

  it('reads every real announcement', () => {
    const announcements = realEvents().filter(({ kind }) => kind === 30617)
    expect(announcements.length).toBeGreaterThan(0)
    for (const event of announcements) {
      const { address, identifier } = readAnnouncement(event)
      expect(identifier).not.toBe('')
      expect(address).toBe(`30617:${event.pubkey}:${identifier}`)
    }
  })
})
