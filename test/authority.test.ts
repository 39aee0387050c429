import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { authorityOf, stateAuthors, type Family } from '../src/scope/authority.ts'
import { readAnnouncement, type Announcement } from '../src/nostr/announcement.ts'
import { announcement } from './support/builders.ts'
import { keyOf } from './support/sign.ts'

/** One letter is a key; `tags` of an announcement name keys by their letters. */
const NAMES = ['a', 'b', 'c', 'd', 'e', 'x', 'y', 'z']
const keys = new Map(NAMES.map((name) => [name, keyOf(name)]))
const names = new Map(NAMES.map((name) => [keyOf(name).pubkey, name]))

/** The announcements of one repository: each author's role tags, as `m b`, `M a`, `m b 1 2`, `maintainers b c`. */
function familyOf(authors: Readonly<Record<string, readonly string[]>>): Family {
  const read = Object.entries(authors).map(([name, texts]) => {
    const tags = texts.map((text) => text.split(' ').map((word) => keys.get(word)?.pubkey ?? word))
    return readAnnouncement(announcement(keys.get(name) ?? keyOf(name), 'repo', { tags }))
  })
  return new Map(read.map((each) => [each.pubkey, each]))
}

const letters = (pubkeys: Iterable<string>): string =>
  [...pubkeys]
    .map((each) => names.get(each))
    .sort()
    .join('')
const pubkeyOf = (name: string): string => keys.get(name)?.pubkey ?? ''

describe('authorityOf', () => {
  it.each<[string, Record<string, string[]>, string, string]>([
    ['a sole author', { a: [] }, 'a', 'a'],
    ['nobody who has not announced', { b: [] }, 'a', ''],
    ['who is listed and lists back', { a: ['m b'], b: ['m a'] }, 'a', 'ab'],
    ['nobody who is listed and does not list back', { a: ['m b'], b: [] }, 'a', 'a'],
    ['nobody who is listed and has not announced', { a: ['m b'] }, 'a', 'a'],
    ['nobody who lists without being listed', { a: [], b: ['m a'] }, 'a', 'a'],
    ['nobody who left', { a: ['m b'], b: ['m a', 'm b 1 2'] }, 'a', 'a'],
    ['who is confirmed by another than the lister', { a: ['m b', 'm c'], b: ['m a'], c: ['m b'] }, 'a', 'abc'],
    ['who is listed by one who is listed', { a: ['m b'], b: ['m a', 'm z'], z: ['m b'] }, 'a', 'abz'],
    ['whom an author lists who leads himself', { a: ['M a', 'm b'], b: ['m a'] }, 'a', 'ab'],
    ['those whom the lead lists', { a: ['M b'], b: ['M b', 'm c'], c: ['m b'] }, 'a', 'bc'],
    ['the last of several leads', { a: ['M b'], b: ['M c'], c: ['M c'] }, 'a', 'c'],
    ['nothing where the lead has not announced', { a: ['M b'] }, 'a', ''],
    ['nothing where the lead does not lead himself', { a: ['M b'], b: ['m a'] }, 'a', ''],
    ['nothing in a circle of leads', { a: ['M b'], b: ['M a'] }, 'a', ''],
    ['nothing with two leads', { a: ['M b', 'M c'], b: ['M b'], c: ['M c'] }, 'a', ''],
    ['nothing of an author who left', { a: ['m a 1 2', 'm b'], b: ['m a'] }, 'a', ''],
  ])('finds %s', (_what, authors, selected, expected) => {
    expect(letters(authorityOf(pubkeyOf(selected), familyOf(authors)))).toBe(expected)
  })
})

describe('stateAuthors', () => {
  it('are those of all authorities, whatever the announcements say', () => {
    const name = fc.constantFrom(...NAMES)
    const tag = fc
      .tuple(fc.constantFrom('m', 'm', 'm', 'M', 'o'), name, fc.constantFrom('', '', '', ' 1', ' 1 2'))
      .map((parts) => `${parts[0]} ${parts[1]}${parts[2]}`)
    const authors = fc.dictionary(name, fc.array(tag, { maxLength: 4 }))
    fc.assert(
      fc.property(authors, (drawn) => {
        const family = familyOf(drawn)
        const union = [...family.keys()].flatMap((selected) => [...authorityOf(selected, family)])
        expect(letters(stateAuthors(family))).toBe(letters(new Set(union)))
      }),
      { numRuns: 300 },
    )
  })

  it.each<[string, (index: number, count: number) => Pick<Announcement, 'listed' | 'leads'>]>([
    ['list a hundred others', (index, count) => ({ listed: range(index + 1, index + 101, count), leads: new Set() })],
    [
      'lead to the next and list a hundred others',
      (index, count) => ({ listed: range(index + 1, index + 101, count), leads: range(index + 1, index + 2, count) }),
    ],
    [
      'half lead themselves, half lead to these',
      (index, count) => ({
        listed: range(index * 7, index * 7 + 100, count),
        leads: range(index % 2 === 0 ? index : index + 1, (index % 2 === 0 ? index : index + 1) + 1, count),
      }),
    ],
  ])('are found in seconds for 3,000 who %s', (_what, linksOf) => {
    const [sample] = familyOf({ a: [] }).values()
    if (sample === undefined) throw new Error('no announcement')
    const family = new Map(
      Array.from({ length: 3_000 }, (_, index): [string, Announcement] => {
        const pubkey = numbered(index)
        return [pubkey, { ...sample, pubkey, isAuthorActive: true, ...linksOf(index, 3_000) }]
      }),
    )
    const begun = performance.now()
    stateAuthors(family)
    expect(performance.now() - begun).toBeLessThan(5_000)
  })
})

function numbered(index: number): string {
  return index.toString(16).padStart(64, '0')
}

function range(from: number, to: number, count: number): Set<string> {
  return new Set(Array.from({ length: to - from }, (_, offset) => numbered((from + offset) % count)))
}
