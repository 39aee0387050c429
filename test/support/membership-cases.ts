import { announcement, type AnnouncementExtra } from './builders.ts'
import type { NostrEvent } from '../../src/nostr/event.ts'
import { keyOf, type Key } from './sign.ts'

/** Who announces and signs states in the cases: `a` names the service, the others do not. */
export const PEOPLE = ['a', 'b', 'z'] as const
export type Person = (typeof PEOPLE)[number]

/**
 * How a GRASP relay from ngit-grasp 2.0 on answers when these announcements are sent in the order of their distance
 * from `a`. Tags are written `m b 1 2`: a word that is a person stands for the key, in capitals for upper-case hex.
 */
export type MembershipCase = {
  readonly what: string
  readonly says: Readonly<Partial<Record<Person, readonly string[]>>>
  /** Of those who announce, whose 30617 is taken. */
  readonly announced: string
  /** Whose 30618 is taken, of all three. */
  readonly states: string
}

const B_SAYS: readonly (readonly string[])[] = [['m a'], ['maintainers a'], ['M a', 'm b'], []]
const NOBODY: readonly (readonly string[])[] = [
  ['m b 100 200'],
  ['m b abc'],
  ['m b 100 defer'],
  ['o b'],
  ['o b', 'maintainers b'],
]
const SOMEBODY: readonly (readonly string[])[] = [['m b 100 200 300'], ['m b', 'maintainers b'], ['m B']]

/** The table of consequences, a case a line, as ngit-grasp 3.0.10 was seen to answer. */
export const MEMBERSHIP_CASES: readonly MembershipCase[] = [
  { what: 'a sole owner', says: { a: [] }, announced: 'a', states: 'a' },
  { what: 'invited by a role', says: { a: ['m b'] }, announced: 'a', states: 'a' },
  { what: 'invited by maintainers', says: { a: ['maintainers b'] }, announced: 'a', states: 'a' },
  ...['m b', 'maintainers b'].flatMap((says) =>
    B_SAYS.map((b): MembershipCase => {
      const what = `accepted: ${says}, and b says ${b.join(' and ') || 'nothing'}`
      return { what, says: { a: [says], b }, announced: 'ab', states: 'ab' }
    }),
  ),
  { what: 'left', says: { a: ['m b'], b: ['m a', 'm b 1 2'] }, announced: 'ab', states: 'a' },
  ...NOBODY.map((a): MembershipCase => {
    return { what: `not listed by ${a.join(' and ')}`, says: { a, b: ['m a'] }, announced: 'a', states: 'a' }
  }),
  ...SOMEBODY.map((a): MembershipCase => {
    return { what: `listed by ${a.join(' and ')}`, says: { a, b: ['m a'] }, announced: 'ab', states: 'ab' }
  }),
  {
    what: 'not listed by upper-case hex in maintainers',
    says: { a: ['maintainers B'], b: ['maintainers a'] },
    announced: 'a',
    states: 'a',
  },
  { what: 'recursive', says: { a: ['m b'], b: ['m a', 'm z'], z: ['m b'] }, announced: 'abz', states: 'abz' },
  { what: 'a forward to somebody who has not announced', says: { a: ['M b'] }, announced: 'a', states: '' },
  { what: 'a forward to somebody who leads', says: { a: ['M b'], b: ['M b'] }, announced: 'ab', states: 'b' },
  { what: 'a forward that comes back', says: { a: ['M b'], b: ['M a'] }, announced: 'ab', states: '' },
  { what: 'an owner whose role ended', says: { a: ['m a 1 2'] }, announced: 'a', states: '' },
  { what: 'a circle', says: { a: ['m b'], b: ['m z'], z: ['m a'] }, announced: 'abz', states: 'abz' },
]

/** The key of a person; another for every `salt`. */
export function personKey(person: Person, salt = ''): Key {
  return keyOf(`membership ${person}${salt}`)
}

/** The announcements of a case, in the order in which they may be sent; `service` goes into that of `a`. */
export function announcementsOf(
  { says }: MembershipCase,
  d: string,
  { salt = '', ...service }: Pick<AnnouncementExtra, 'clone' | 'relays' | 'createdAt'> & { readonly salt?: string },
): NostrEvent[] {
  return PEOPLE.flatMap((person) => {
    const texts = says[person]
    if (texts === undefined) return []
    const tags = texts.map((text) => text.split(' ').map((word) => keyOrWord(word, salt)))
    return announcement(personKey(person, salt), d, person === 'a' ? { tags, ...service } : { tags })
  })
}

function keyOrWord(word: string, salt: string): string {
  const person = PEOPLE.find((each) => each === word.toLowerCase() && word !== 'M' && word !== 'm')
  if (person === undefined) return word
  const { pubkey } = personKey(person, salt)
  return word === person ? pubkey : pubkey.toUpperCase()
}
