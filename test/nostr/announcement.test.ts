import { describe, expect, it } from 'vitest'
import { readAnnouncement } from '../../src/nostr/announcement.ts'
import { keyOf, signEvent } from '../support/sign.ts'
import { realEvents } from './real-events.ts'

const ALICE = keyOf('alice')

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
      listed: new Set(),
      leads: new Set(),
      isAuthorActive: true,
      unreadMaintainers: 0,
      clone: [],
      relays: [],
      unreadUrls: 0,
    })
  })

  it('reads all values of a tag and all tags of a name, in order', () => {
    const announcement = announcementWith(
      ['d', 'x'],
      ['relays', 'wss://one.example', 'wss://two.example'],
      ['clone', 'https://one.example/x.git'],
      ['relays', 'wss://three.example'],
    )
    expect(announcement.relays).toEqual(['wss://one.example', 'wss://two.example', 'wss://three.example'])
    expect(announcement.clone).toEqual(['https://one.example/x.git'])
  })

  it('reads the first 50 URLs of a kind, and counts the others and the endless ones', () => {
    const urls = Array.from({ length: 60 }, (_, index) => `wss://relay${index}.example`)
    const endless = `wss://a.example/${'x'.repeat(2_048)}`
    const { relays, clone, unreadUrls } = announcementWith(['relays', endless, ...urls], ['clone', endless])
    expect([relays, clone, unreadUrls]).toEqual([urls.slice(0, 50), [], 12])
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
