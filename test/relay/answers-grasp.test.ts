import { describe, expect, it } from 'vitest'

import type { NostrEvent } from '../../src/nostr/event.ts'
import { classifyAnswer, cureOf, type Classification } from '../../src/relay/answers.ts'
import type { Cure } from '../../src/relay/answer-rules.ts'

const NOW = 1_750_000_000
const COMMIT = '3'.repeat(40)
const NPUB = `npub1${'q'.repeat(58)}`

function classify(accepted: boolean, text: string, tags: string[][] = []): Classification {
  const hex = 'a'.repeat(64)
  const event: NostrEvent = { id: hex, pubkey: hex, created_at: NOW, kind: 1621, tags, content: '', sig: hex + hex }
  return classifyAnswer({ accepted, text, event, now: NOW })
}

// One row for each line of the table of answers of ngit-grasp 3.0.10, in its order.

describe('classifyAnswer on OK true of ngit-grasp 3', () => {
  it.each([
    ['duplicate: event stored', 'accepted'],
    ['duplicate: already have this event', 'duplicate'],
    ['duplicate: superseded by a newer event', 'superseded'],
    ['duplicate: already stored; reapplied to pending maintainer repository', 'duplicate'],
    ["purgatory: won't be served until git data arrives", 'pending'],
    [`purgatory: PR event stored, waiting for git push with commit ${COMMIT}`, 'pending'],
    ['duplicate: in purgatory', 'pending'],
    [
      'duplicate: deletion request is no longer served; it will be re-served when used to reject an in-scope event',
      'duplicate',
    ],
    ['', 'accepted'],
    ['a text of tomorrow', 'accepted'],
  ])('takes `%s` for %s', (text, outcome) =>
    expect(classify(true, text)).toEqual({ type: 'outcome', outcome, known: true }),
  )
})

describe('classifyAnswer on OK false of ngit-grasp 3', () => {
  it('takes `rate-limited: slow down` for a request to slow down', () =>
    expect(classify(false, 'rate-limited: slow down')).toEqual({ type: 'rate-limited' }))

  it.each<[text: string, orphan: 'siblings' | 'alone']>([
    ['restricted: Event event must reference an accepted repository or accepted event', 'siblings'],
    ['restricted: PR event must reference an accepted repository or accepted event', 'siblings'],
    ['invalid: no announcement exists for this repository', 'siblings'],
    ['restricted: author not authorized for this repository', 'alone'],
    ['invalid: author not authorized for this repository', 'alone'],
  ])('takes `%s` for waiting, orphan: %s', (text, orphan) =>
    expect(classify(false, text)).toEqual({ type: 'outcome', outcome: 'waiting', known: true, orphan }),
  )

  it.each<[text: string, outcome: string, cure: Cure | undefined]>([
    ['restricted: Kind 0/10002 author must participate in an accepted repository thread', 'refused', 'participation'],
    ['invalid: this event is deleted', 'deleted', 'gate'],
    ['invalid: this pubkey has requested to vanish', 'vanished', 'gate'],
    ['blocked: event is expired', 'expired', 'never'],
    ['invalid: invalid event ID', 'invalid', 'never'],
    ['invalid: invalid event signature', 'invalid', 'never'],
    ['blocked: event size (197426 bytes) exceeds maximum allowed size (196608 bytes)', 'too-large', 'never'],
    ['blocked: repost of a protected event', 'refused', 'never'],
    ['blocked: GiftWrap must contain exactly one recipient public key', 'refused', 'never'],
    [`blocked: Event author ${NPUB} is blacklisted`, 'refused', 'operator'],
    [
      `invalid: Announcement lists service but does not match repository whitelist. Repository ${NPUB}/d not in whitelist`,
      'refused',
      'operator',
    ],
    [
      `invalid: Archive read-only mode: announcement must match archive whitelist. Repository ${NPUB}/d not in whitelist`,
      'refused',
      'operator',
    ],
    ['invalid: Repository identifier d is blacklisted', 'refused', 'operator'],
    [`invalid: Repository owner ${NPUB} is blacklisted`, 'refused', 'operator'],
    [`invalid: Repository ${NPUB}/d is blacklisted`, 'refused', 'operator'],
    ['invalid: Announcement author is not authorized on this private service', 'refused', 'operator'],
    ["invalid: Missing required 'd' tag (identifier)", 'refused', 'never'],
    ["invalid: Invalid announcement: Repository announcement missing 'd' tag (identifier)", 'refused', 'never'],
    [
      'invalid: Invalid announcement: multiple clone tags found. correct format is single clone tag with multiple values',
      'refused',
      'never',
    ],
    ['invalid: Invalid identifier: identifier must not be empty', 'refused', 'never'],
    ["invalid: Invalid identifier: identifier 'a/b' contains path separator '/'", 'refused', 'never'],
    ["invalid: Invalid identifier: identifier '..' is a reserved path component", 'refused', 'never'],
    ['invalid: Invalid identifier: identifier contains a null byte', 'refused', 'never'],
    [`invalid: PR event ${'a'.repeat(64)} has no 'c' tag`, 'refused', 'never'],
    ['invalid: cannot delete event authored by another pubkey', 'refused', 'never'],
    ['invalid: too many deletion targets', 'refused', 'never'],
    ['invalid: Database error checking existing announcement: MDB_MAP_FULL', 'waiting', undefined],
    ['invalid: Failed to parse stored announcement: missing d', 'waiting', undefined],
    ['error: Event persistence failed: MDB_MAP_FULL', 'waiting', undefined],
    ['error: Cannot prepare event persistence: MDB_MAP_FULL', 'waiting', undefined],
    ['error: Failed to check git data: timed out', 'waiting', undefined],
    ['error: Database query failed: MDB_MAP_FULL', 'waiting', undefined],
    ['error: install family inventory at /git/d.git: File name too long (os error 36)', 'refused', 'never'],
    ['error: internal error', 'waiting', undefined],
    ['error: internal error: x', 'waiting', undefined],
    ['error: database error', 'waiting', undefined],
    ['blocked: this event is deleted', 'deleted', 'gate'],
  ])('takes `%s` for %s, cured by %s', (text, outcome, cure) => {
    expect(classify(false, text)).toEqual({ type: 'outcome', outcome, known: true })
    expect(cureOf(text)).toBe(cure)
  })

  it.each(['error: unknown', 'error: fatal: not a git repository'])(
    'takes `%s` for waiting, unless a newer version is served',
    (text) => expect(classify(false, text)).toMatchObject({ outcome: 'waiting', error: true }),
  )

  it.each([
    'auth-required: you must auth',
    'auth-required: invalid authentication event',
    'blocked: this event may only be published by its author',
  ])('takes `%s` for protected, for an event with the tag of NIP-70', (text) =>
    expect(classify(false, text, [['-']])).toEqual({ type: 'outcome', outcome: 'protected', known: true }),
  )

  it('takes `invalid: Announcement must list service…` for refused, unless somebody may yet vouch for the author', () => {
    const text =
      'invalid: Announcement must list service in both \'clone\' and \'relays\' tags, or match archive whitelist. Found clone URLs: ["https://h/x"], relays: ["wss://h"]'
    expect(classify(false, text)).toEqual({ type: 'outcome', outcome: 'refused', known: true, isUnlisted: true })
    expect(cureOf(text)).toBe('parent')
  })

  it.each([
    'invalid: previously expired from purgatory without git data',
    'invalid: ephemeral events are not persisted through sync',
  ])('takes `%s`, which it says to its own sync only, for refused', (text) =>
    expect(classify(false, text)).toMatchObject({ outcome: 'refused' }),
  )
})

describe('classifyAnswer on refusals of us by ngit-grasp 3', () => {
  it('takes `restricted: authenticated pubkey is not whitelisted` for the door', () => {
    const text = 'restricted: authenticated pubkey is not whitelisted'
    expect(classify(false, text)).toEqual({ type: 'door', why: text })
  })

  it.each(['auth-required: authenticate before publishing', 'auth-required: invalid NIP-42 authentication'])(
    'takes `%s` for a request to authenticate, and without a key for the door',
    (text) => expect(classify(false, text)).toEqual({ type: 'auth-required' }),
  )
})
