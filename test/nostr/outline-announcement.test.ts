import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { readAnnouncement } from '../../src/nostr/announcement.ts'
import { relayBehindClone } from '../../src/nostr/host.ts'
import { encodePublicKey } from '../../src/nostr/nip19.ts'
import { outlineAnnouncement } from '../../src/nostr/outline-announcement.ts'
import type { RoleRule } from '../../src/nostr/roles.ts'
import { listsService } from '../../src/nostr/service-url.ts'
import { announcement } from '../support/builders.ts'
import { serviceAt } from '../support/service-at.ts'
import { keyOf, signEvent } from '../support/sign.ts'
import { realEvents } from './real-events.ts'

const alice = keyOf('alice')
const people = Array.from({ length: 130 }, (_, index) => keyOf(`person ${index}`).pubkey)
const service = serviceAt('wss://git.example.com/grasp')
const RULES: readonly RoleRule[] = ['today', 'early']

function announce(...tags: readonly (readonly string[])[]) {
  return signEvent(alice, { kind: 30617, created_at: 7, tags: [['d', 'repo'], ...tags], content: 'x'.repeat(50_000) })
}

/** Sets compare without their order, and what was left out by whether it was anything. */
function peopleIn(event: ReturnType<typeof announce>, rule: RoleRule) {
  const { unreadUrls, unreadMaintainers, ...rest } = readAnnouncement(event, rule)
  return { ...rest, unread: [unreadUrls > 0, unreadMaintainers > 0] }
}

describe('outlineAnnouncement', () => {
  it('is small, whatever an author writes (no false green #33)', () => {
    const url = (index: number): string => `https://host${index}.example/${'x'.repeat(1_900)}`
    const urls = Array.from({ length: 60 }, (_, index) => url(index))
    const tags = [
      ['clone', ...urls],
      ['relays', ...urls],
      ['maintainers', ...people],
      ...people.map((key) => ['t', key]),
    ]
    expect(JSON.stringify(outlineAnnouncement(announce(...tags))).length).toBeLessThan(50_000)
    expect(JSON.stringify(outlineAnnouncement(announce(['description', 'x'.repeat(50_000)]))).length).toBeLessThan(400)
  })

  it('is an outline of itself', () => {
    const outline = outlineAnnouncement(announce(['maintainers', ...people], ['relays', 'wss://a.example']))
    expect(outlineAnnouncement(outline)).toEqual(outline)
  })

  it('says of real announcements what they say', () => {
    for (const event of realEvents().filter(({ kind }) => kind === 30617)) {
      for (const rule of RULES)
        expect(readAnnouncement(outlineAnnouncement(event), rule)).toEqual(readAnnouncement(event, rule))
    }
  })

  it.each([
    ['a long repository', `https://git.example.com/grasp/${encodePublicKey(alice.pubkey)}/${'x'.repeat(1_000)}.git`],
    ['a long user', `https://${'x'.repeat(1_000)}@git.example.com/grasp/x.git`],
    ['a long query', `https://git.example.com/grasp/x.git?${'x'.repeat(1_000)}`],
    ['no scheme', `git.example.com/grasp/${'x'.repeat(1_000)}`],
    ['another place', `https://git.example.com/${'x'.repeat(1_000)}`],
  ])('keeps where a URL leads: %s', (_, clone) => {
    const event = announcement(alice, 'repo', { clone: [clone], relays: ['wss://git.example.com/grasp'] })
    const [before, after] = [readAnnouncement(event), readAnnouncement(outlineAnnouncement(event))]
    expect(listsService(after, service)).toBe(listsService(before, service))
    expect(after.clone.map(relayBehindClone)).toEqual(before.clone.map(relayBehindClone))
  })

  it('names the same people, by either rule', () => {
    const key = fc.constantFrom(alice.pubkey, ...people)
    const value = fc.oneof(
      key,
      key.map(encodePublicKey),
      key.map((text) => text.toUpperCase()),
      fc.constantFrom('', 'bob'),
    )
    const history = fc.constantFrom<string[]>([], ['1'], ['1', '2'], ['1', '2', '3'], ['1', 'defer'], ['x'])
    const role = fc
      .tuple(fc.constantFrom('M', 'm', 'o'), value, history)
      .map(([name, who, times]) => [name, who, ...times])
    const list = fc.array(value, { maxLength: 120 }).map((values) => ['maintainers', ...values])
    const tags = fc.tuple(fc.array(list, { maxLength: 3 }), fc.array(role, { maxLength: 120 }), fc.boolean())
    fc.assert(
      fc.property(tags, ([lists, roles, hasRoles]) => {
        const event = announce(...lists, ...(hasRoles ? roles : []))
        for (const rule of RULES) expect(peopleIn(outlineAnnouncement(event), rule)).toEqual(peopleIn(event, rule))
      }),
      { numRuns: 150 },
    )
  })
})
