import { describe, expect, it } from 'vitest'

import { resolveMembership, type Membership } from '../src/scope/membership.ts'
import { readAnnouncement, type Announcement } from '../src/nostr/announcement.ts'
import { isOwned, type Scope } from '../src/scope/scope.ts'
import {
  announcementsOf,
  MEMBERSHIP_CASES,
  PEOPLE,
  personKey,
  type MembershipCase,
} from './support/membership-cases.ts'
import { serviceAt } from './support/service-at.ts'

const SCOPE: Scope = { type: 'listed', service: serviceAt('wss://git.example.com') }
const NAMED = { clone: ['https://git.example.com/x.git'], relays: ['wss://git.example.com'] }

function membershipOf(theCase: MembershipCase): Membership {
  const known = announcementsOf(theCase, 'repo', NAMED).map((event) => readAnnouncement(event))
  return resolveMembership(known, { isOwned: (announced) => isOwned(SCOPE, announced, 'today'), rule: 'today' })
}

/** Of the people, those of whose announcement or state the membership has the address. */
function lettersIn(addresses: { has(address: string): boolean }, kind: number): string {
  return PEOPLE.filter((person) => addresses.has(`${kind}:${personKey(person).pubkey}:repo`)).join('')
}

describe('who belongs to a repository', () => {
  it.each(MEMBERSHIP_CASES)('$what: announcements of $announced, states of $states', (theCase) => {
    const { announcements, states } = membershipOf(theCase)
    expect([lettersIn(announcements, 30617), lettersIn(states, 30618)]).toEqual([theCase.announced, theCase.states])
  })

  it.each([
    ['invited by a role', 'b', 'invited'],
    ['left', 'b', 'left'],
    ['a forward to somebody who leads', 'a', 'leads elsewhere'],
    ['an owner whose role ended', 'a', 'left'],
  ] as const)('says of %s why: %s %s', (what, person, why) => {
    const found = MEMBERSHIP_CASES.filter((each) => each.what === what).map(membershipOf)
    const address = `30618:${personKey(person).pubkey}:repo`
    expect(found.map(({ outsiders }) => outsiders.get(address))).toEqual([why])
  })

  it('asks by name for whoever is invited', () => {
    const found = MEMBERSHIP_CASES.filter(({ what }) => what.startsWith('invited')).map(membershipOf)
    expect(found.map((each) => lettersIn(each.maintainerAddresses, 30617))).toEqual(['b', 'b'])
  })

  it('is found in seconds for 3,000 who name the service and list a hundred others each', () => {
    const [sample] = announcementsOf({ what: '', says: { a: [] }, announced: '', states: '' }, 'repo', NAMED)
    if (sample === undefined) throw new Error('no announcement')
    const keys = Array.from({ length: 3_000 }, (_, index) => index.toString(16).padStart(64, '0'))
    const known = keys.map((pubkey, index): Announcement => {
      const listed = new Set(keys.slice(index + 1, index + 101))
      return { ...readAnnouncement(sample), pubkey, address: `30617:${pubkey}:repo`, listed }
    })
    const begun = performance.now()
    const { announcements, distances } = resolveMembership(known, { isOwned: () => true, rule: 'today' })
    expect([announcements.size, Math.max(...distances.values())]).toEqual([3_000, 30])
    expect(performance.now() - begun).toBeLessThan(5_000)
  })
})
