import { describe, expect, it } from 'vitest'
import type { NostrEvent } from '../../src/nostr/event.ts'
import type { Outcome } from '../../src/nostr/outcome.ts'
import {
  classifyAnswer,
  demandForKey,
  isDoorForReading,
  isHeldUnserved,
  type Classification,
} from '../../src/relay/answers.ts'

const NOW = 1_750_000_000

const PLAIN = eventWith([])
const PROTECTED = eventWith([['-']])

function eventWith(tags: string[][], createdAt = NOW - 86_400): NostrEvent {
  const hex = 'a'.repeat(64)
  return { id: hex, pubkey: hex, created_at: createdAt, kind: 1621, tags, content: '', sig: hex + hex }
}

/** Without `isVague`, which has tests of its own. */
function classify(accepted: boolean, text: string, event = PLAIN): object {
  return { ...classifyAnswer({ accepted, text, event, now: NOW }), isVague: undefined }
}

const known = (outcome: Outcome): Classification => ({ type: 'outcome', outcome, known: true })

const ORPHAN: Classification = { type: 'outcome', outcome: 'waiting', known: true, orphan: 'siblings' }
const UNLISTED: Classification = { type: 'outcome', outcome: 'refused', known: true, isUnlisted: true }
const ERROR: Classification = { type: 'outcome', outcome: 'waiting', known: true, error: true }
const UNKNOWN: Classification = { type: 'outcome', outcome: 'waiting', known: false }

describe('classifyAnswer on OK true', () => {
  it.each<[relay: string, text: string, outcome: Outcome]>([
    ['ngit-grasp', '', 'accepted'],
    ['ngit-grasp', 'duplicate: already have this event', 'duplicate'],
    ['ngit-grasp', 'duplicate', 'duplicate'],
    ['ngit-grasp', "purgatory: won't be served until git data arrives", 'pending'],
    ['ngit-grasp', 'purgatory: PR event stored, waiting for git push with commit 1234abcd', 'pending'],
    ['ngit-grasp', 'purgatory: state event stored, waiting for git push for ngit', 'pending'],
    ['ngit-grasp', 'duplicate: in purgatory', 'pending'],
    ['khatru', '', 'accepted'],
    ['strfry', '', 'accepted'],
    ['strfry', 'duplicate: have this event', 'duplicate'],
    ['nostr-relay', 'duplicate: the event already exists', 'duplicate'],
    ['any', 'DUPLICATE:no blank', 'duplicate'],
    ['any', 'pow: difficulty 25>=24', 'accepted'],
    ['any', 'stored, thank you', 'accepted'],
    ['any', 'invalid: but taken all the same', 'accepted'],
  ])('takes what %s says, `%s`, for %s', (_relay, text, outcome) =>
    expect(classify(true, text)).toEqual(known(outcome)),
  )
})

describe('classifyAnswer on OK false', () => {
  it.each<[relay: string, text: string, outcome: Outcome]>([
    ['ngit-grasp', 'error: database error', 'waiting'],
    ['ngit-grasp', 'Database query failed: MDB_MAP_FULL', 'waiting'],
    ['ngit-grasp', 'error: Database query failed: MDB_MAP_FULL', 'waiting'],
    ['ngit-grasp', 'Database error checking existing announcement: disk I/O error', 'waiting'],
    ['ngit-grasp', 'git init failed: No space left on device', 'waiting'],
    ['ngit-grasp', 'Failed to check git data: timed out', 'waiting'],
    ['ngit-grasp', 'blocked: this event is deleted', 'deleted'],
    ['ngit-grasp', 'invalid: accepted deletion request for this event', 'deleted'],
    ['ngit-grasp', 'blocked: event is expired', 'expired'],
    ['ngit-grasp', "Missing required 'd' tag (identifier)", 'refused'],
    ['ngit-grasp', 'Invalid announcement: multiple clone tags found', 'refused'],
    ['ngit-grasp', 'Invalid identifier: ../x', 'refused'],
    ['ngit-grasp', 'npub1xyz/ngit is blacklisted', 'refused'],
    ['ngit-grasp', 'restricted: npub1xyz is blacklisted', 'refused'],
    ['ngit-grasp', 'Failed to parse announcement: missing name', 'refused'],
    ['ngit-grasp', 'Archive read-only mode: announcement must match archive whitelist.', 'refused'],
    ['ngit-grasp', 'invalid: invalid event ID', 'invalid'],
    ['ngit-grasp', 'invalid: invalid event signature', 'invalid'],

    ['ngit-relay', "blocked: repository announcement doesn't list ngit-relay in tags: clones and relays", 'refused'],
    ['khatru', 'blocked: event contains too large tags', 'refused'],
    ['khatru', 'blocked: this event has been deleted', 'deleted'],
    ['khatru', 'blocked: event too old', 'refused'],

    ['strfry', 'replaced: have newer event', 'superseded'],
    ['strfry', 'deleted: user requested deletion', 'deleted'],
    ['strfry', 'blocked: event marked as protected', 'protected'],
    ['strfry', 'auth-required: event marked as protected', 'protected'],
    ['strfry', 'invalid: event too large: 70000', 'too-large'],
    ['strfry', 'invalid: created_at too early', 'refused'],
    ['strfry', 'invalid: event expired', 'expired'],

    ['nostr-relay', 'invalid: id is wrong', 'refused'],
    ['nostr-relay', 'reject: event is expired', 'expired'],
    ['nostr-rs-relay', 'invalid: The event has already expired', 'expired'],
    ['rnostr', 'invalid: event creation date must be newer than 1480049784', 'refused'],
    ['rust-nostr', 'blocked: event size (200521 bytes) exceeds maximum allowed size (65536 bytes)', 'too-large'],

    ['any', 'duplicate: already have this event', 'duplicate'],
    ['any', 'invalid: anything else', 'refused'],
    ['any', 'invalid:', 'refused'],
    ['any', 'Invalid: with a capital', 'refused'],
    ['any', 'restricted: not allowed to write for this pubkey', 'refused'],
    ['any', 'restricted: you are not on the list', 'refused'],
    ['any', 'restricted:', 'refused'],
    ['any', 'pow: difficulty 26 is less than 30', 'refused'],
    ['any', 'blocked: no reason', 'refused'],
    ['any', 'blocked: pubkey is banned', 'refused'],
    ['any', 'blocked: pubkey is not allowed', 'refused'],
    ['any', 'blocked: author is blacklisted', 'refused'],
    ['any', 'blocked: this event is banned', 'refused'],
    ['any', 'mute: nobody would see it', 'refused'],
  ])('takes what %s says, `%s`, for %s', (_relay, text, outcome) =>
    expect(classify(false, text)).toEqual(known(outcome)),
  )

  it.each([
    'Event event must reference an accepted repository or accepted event',
    'PR event must reference an accepted repository or accepted event',
    'restricted: Event event must reference an accepted repository or accepted event',
    'blocked: PR event must reference an accepted repository or accepted event',
    'invalid: no announcement exists for this repository',
    'restricted: no announcement exists for this repository',
    'blocked: event does not relate to a stored repository',
  ])('takes `%s` for waiting for its parent', (text) => expect(classify(false, text)).toEqual(ORPHAN))

  it.each(['error: unknown', 'error: could not connect to the database', 'error:', 'error'])(
    'takes `%s` for waiting, unless a newer version is served',
    (text) => expect(classify(false, text)).toEqual(ERROR),
  )

  it.each(['rate-limited: slow down', 'rate-limited: slow down, please', 'rate-limited: you are banned for a minute'])(
    'takes `%s` for a request to slow down',
    (text) => expect(classify(false, text)).toEqual({ type: 'rate-limited' }),
  )

  it.each([
    '',
    'no',
    'not today',
    'payment-required: 1000 sats',
    'https://relay.example/join',
    '🛑',
    'x'.repeat(100_000),
  ])('takes `%.40s` for unknown, waiting', (text) => expect(classify(false, text)).toEqual(UNKNOWN))
})

describe('classifyAnswer on refusals of us', () => {
  it.each([
    'restricted: authenticated pubkey is not whitelisted',
    'restricted: you are not a member',
    "blocked: you're not a member of this relay",
    'blocked: you are banned from posting here',
    'blocked: you have been permanently banned',
    'you are blocked',
    'blocked: your IP address is blacklisted',
    'blocked: IP 192.0.2.1 is banned',
    'IP blocked',
  ])('takes `%s` for the door, with the text', (text) => {
    expect(classify(false, text)).toEqual({ type: 'door', why: text })
    expect(classify(false, text, PROTECTED)).toEqual({ type: 'door', why: text })
  })
})

describe('classifyAnswer on protected events (NIP-70)', () => {
  it.each([
    'auth-required: you must auth',
    'blocked: this event may only be published by its author',
    'restricted: this event may only be published by its author',
    'auth-required: must be published by authenticated event author',
    'blocked: must be published by event author',
    'restricted: must be published by the author',
    'auth-required: we only accept events from registered users',
  ])('takes `%s` for protected', (text) => expect(classify(false, text, PROTECTED)).toEqual(known('protected')))

  it.each<[text: string, expected: Classification]>([
    ['auth-required: you must auth', { type: 'auth-required' }],
    ['auth-required: must be published by authenticated event author', { type: 'auth-required' }],
    ['auth-required:', { type: 'auth-required' }],
    ['blocked: this event may only be published by its author', known('refused')],
    ['blocked: must be published by event author', known('refused')],
  ])('takes `%s` on an event without the tag for %o', (text, expected) =>
    expect(classify(false, text)).toEqual(expected),
  )
})

describe('classifyAnswer on events of the future', () => {
  const AHEAD = NOW + 7_200

  it.each([
    'blocked: event too much in the future',
    'invalid: created_at too late',
    'invalid: event creation date is too far off from the current time',
    'invalid: the event created_at field is out of the acceptable range (-24h, +15min)',
    'invalid: timestamp is too far in the future',
    'invalid: The event created_at field is out of the acceptable range (+1800sec) for this relay.',
  ])('takes `%s` for waiting until its time', (text) => {
    const expected = { type: 'outcome', outcome: 'waiting', known: true, retryAt: AHEAD }
    expect(classify(false, text, eventWith([], AHEAD))).toEqual(expected)
  })

  it.each([
    'blocked: event too much in the future',
    'invalid: created_at too late',
    'invalid: event creation date must be older than 1795410684',
  ])('takes `%s` for waiting even where our clock says that its time has come', (text) =>
    expect(classify(false, text)).toMatchObject({ outcome: 'waiting', retryAt: PLAIN.created_at }),
  )

  it.each(['invalid: event creation date is too far off from the current time', 'invalid: created_at out of range'])(
    'takes `%s` on an old event for refused',
    (text) => expect(classify(false, text)).toEqual(known('refused')),
  )
})

describe('classifyAnswer on texts that an author chose a part of', () => {
  it.each<[text: string, outcome: Outcome]>([
    ['Invalid identifier: rate-limited: x', 'refused'],
    ['Invalid announcement: you are banned', 'refused'],
    ['npub1xyz/Event event must reference an accepted repository or accepted event is blacklisted', 'refused'],
    ['blocked: name "you are banned" not allowed', 'refused'],
  ])('takes `%s` for %s', (text, outcome) => expect(classify(false, text)).toEqual(known(outcome)))
})

describe('classifyAnswer on announcements that do not name the relay', () => {
  it.each([
    "Announcement must list service in both 'clone' and 'relays' tags, or match archive whitelist. Found clone URLs: []",
    "restricted: Announcement must list service in both 'clone' and 'relays' tags",
    "Announcement must list service in both 'clone' and 'relays' tags. Found clone URLs: [\"restricted: x\"]",
  ])('takes `%s` for refused, unless somebody may yet vouch for the author', (text) =>
    expect(classify(false, text)).toEqual(UNLISTED),
  )
})

describe('classifyAnswer on texts that may be about us', () => {
  it.each(['blocked: no', 'invalid: no', 'restricted: no', 'error: no', 'pow: 30', 'mute: no', 'no', ''])(
    'calls `%s` vague',
    (text) => expect(classifyAnswer({ accepted: false, text, event: PLAIN, now: NOW })).toHaveProperty('isVague', true),
  )

  it.each([
    'restricted: Event event must reference an accepted repository or accepted event',
    'restricted: Kind 0/10002 author must participate in an accepted repository thread',
    'invalid: Archive read-only mode: announcement must match archive whitelist. Repository npub1x/d not in whitelist',
    'blocked: Event author npub1x is blacklisted',
    'blocked: event is expired',
    'blocked: event marked as protected',
    'error: database error',
  ])('does not call `%s` vague', (text) =>
    expect(classifyAnswer({ accepted: false, text, event: PLAIN, now: NOW })).not.toHaveProperty('isVague'),
  )
})

describe('isHeldUnserved', () => {
  const request = (kind: number): NostrEvent => ({ ...PLAIN, kind })

  it.each([
    [5, 'duplicate: event stored', true],
    [62, 'duplicate: event stored', true],
    [5, 'duplicate: deletion request is no longer served; it will be re-served when used', true],
    [5, '', false],
    [5, 'purgatory: for whatever reason', false],
    [1621, 'duplicate: event stored', false],
  ])('of kind %d answered `%s` is %j', (kind, text, held) => expect(isHeldUnserved(request(kind), text)).toBe(held))
})

describe('demandForKey', () => {
  it.each([
    ['auth-required: you must auth', 'auth-required: you must auth'],
    ['ask ws://r for ids: closed: auth-required: who are you', 'auth-required: who are you'],
    ['closed: auth-required: who are you on page 12', 'auth-required: who are you'],
    ['blocked: auth-required: not really', undefined],
    ['restricted: not you', undefined],
  ])('in "%s" is %j', (reason, demand) => expect(demandForKey(reason)).toBe(demand))
})

describe('isDoorForReading', () => {
  it.each([
    ['ask ws://r for ids: closed: auth-required: who are you', true],
    ['read ws://r: closed: restricted: members only on page 1', true],
    ['read ws://r: closed: error: busy', false],
    ['disconnected: restricted: no', false],
  ])('of "%s" is %j', (reason, isDoor) => expect(isDoorForReading(reason)).toBe(isDoor))
})

it('takes no time for an answer of many spaces (no false green #26)', () => {
  const begun = performance.now()
  classify(false, `${' '.repeat(500_000)}x ${' '.repeat(500_000)}y: z`)
  expect(performance.now() - begun).toBeLessThan(1_000)
})
