import { describe, expect, it } from 'vitest'

import { gistOf } from '../src/publish/gist.ts'

describe('gistOf', () => {
  it.each([
    ['restricted: members only', 'restricted: members only'],
    [
      `Announcement must list service in both 'clone' and 'relays' tags. Found clone URLs: ["https://a/x"], relays: []`,
      `Announcement must list service in both 'clone' and 'relays' tags. Found clone URLs: ["https://b/[y]", "z"], relays: ["wss://b"]`,
    ],
    [`blocked: event ${'a'.repeat(64)} is unwanted`, `blocked: event ${'b'.repeat(64)} is unwanted`],
    [`no: npub1${'q'.repeat(58)}/hello`, `no: npub1${'p'.repeat(58)}/world`],
    ['see https://relay.example/join?x=1 first', 'see wss://other.example/join first'],
    ['quota of 10 events used up (since 12:30)', 'quota of 12 events used up (since yesterday)'],
    ['kind "a" won\'t do', 'kind "b" won\'t do'],
    ['Go  away', 'go away'],
  ])('is the same for `%s` and `%s`', (one, other) => expect(gistOf(one)).toBe(gistOf(other)))

  it.each([
    ['restricted: members only', 'restricted: you are not a member'],
    ['blocked: kind 1 not accepted', 'blocked: author not accepted'],
    ["you can't, and won't", "you shan't, and won't"],
  ])('is not the same for `%s` and `%s`', (one, other) => expect(gistOf(one)).not.toBe(gistOf(other)))

  it.each(['[', '(', '"', "'", ' [(', '\'"', 'f', 'npub', '://', 'a.'])(
    'takes no longer for a megabyte of `%s`',
    (text) => {
      const startedAt = performance.now()
      gistOf(text.repeat(2 ** 20))
      expect(performance.now() - startedAt).toBeLessThan(200)
    },
  )
})
