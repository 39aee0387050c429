import { npubEncode } from 'nostr-tools/nip19'
import { describe, expect, it } from 'vitest'

import { isActiveRole, readRoles, type Roles, type RoleRule } from '../../src/nostr/roles.ts'
import { keyOf, signEvent } from '../support/sign.ts'

const ALICE = keyOf('alice')
const [A, B, C] = [ALICE.pubkey, keyOf('bob').pubkey, keyOf('carol').pubkey]

function rolesOf(tags: string[][], rule: RoleRule = 'today'): Roles {
  return readRoles(signEvent(ALICE, { kind: 30617, created_at: 1, tags, content: '' }), rule)
}

describe('isActiveRole', () => {
  it.each([
    [['m', B], true],
    [['m', B, '100'], true],
    [['m', B, '100', '200', '300'], true],
    [['m', B, '0'], true],
    [['m', B, '+007'], true],
    [['m', B, '18446744073709551615'], true],
    [['m', B, '100', '200'], false],
    [['m', B, '100', 'defer'], false],
    [['m', B, 'defer'], false],
    [['m', B, '100', 'defer', '300'], false],
    [['m', B, 'abc'], false],
    [['m', B, '-1'], false],
    [['m', B, '1.5'], false],
    [['m', B, ''], false],
    [['m', B, '18446744073709551616'], false],
    [['m', B, '1', 'x', '3'], false],
  ])('of %j is %s', (tag, isActive) => expect(isActiveRole(tag)).toBe(isActive))

  it('takes no longer for endless digits', () => {
    const begun = performance.now()
    expect(isActiveRole(['m', B, `${'0'.repeat(190_000)}x`])).toBe(false)
    expect(performance.now() - begun).toBeLessThan(500)
  })
})

describe('an announcement lists', () => {
  it.each<[string, string[][], string[]]>([
    ['nobody without tags', [], []],
    ['those in maintainers', [['maintainers', B, C]], [B, C]],
    [
      'those in the first maintainers tag only',
      [
        ['maintainers', B],
        ['maintainers', C],
      ],
      [B],
    ],
    ['others than its author', [['maintainers', A, B]], [B]],
    ['those whose npub stands in maintainers', [['maintainers', npubEncode(B)]], [B]],
    ['nobody for upper-case hex in maintainers', [['maintainers', B.toUpperCase()]], []],
    [
      'those in M and m',
      [
        ['M', B],
        ['m', C],
      ],
      [B, C],
    ],
    ['those in m by hex of any case', [['m', B.toUpperCase()]], [B]],
    ['those whose npub stands in m', [['m', npubEncode(B)]], [B]],
    ['nobody in o', [['o', B]], []],
    [
      'nobody in maintainers where there is a role',
      [
        ['o', C],
        ['maintainers', B],
      ],
      [],
    ],
    ['nobody in maintainers where there is a role without a key', [['m'], ['maintainers', B]], []],
    [
      'who is active in one of several tags',
      [
        ['m', B, '1', '2'],
        ['M', B, '3'],
      ],
      [B],
    ],
    ['nobody whose role has ended', [['m', B, '1', '2']], []],
    [
      'nobody in tags named alike',
      [
        ['M2', B],
        ['mm', B],
        ['', B],
      ],
      [],
    ],
  ])('%s', (_what, tags, listed) => expect([...rolesOf(tags).listed]).toEqual(listed))

  it('is at most 100', () => {
    const keys = Array.from({ length: 150 }, (_, index) => index.toString(16).padStart(64, '0'))
    const roles = rolesOf([['maintainers', ...keys]])
    expect([roles.listed.size, roles.unreadMaintainers]).toEqual([100, 50])
  })

  it('counts what it does not understand', () => {
    expect(rolesOf([['maintainers', 'bob', B.toUpperCase(), '', B]]).unreadMaintainers).toBe(2)
    expect(
      rolesOf([
        ['m', 'bob'],
        ['m', 'carol', '1', '2'],
        ['m', B],
      ]).unreadMaintainers,
    ).toBe(1)
  })

  it('is, by the early rule, who stands in lower-case hex in any maintainers tag, whatever the roles', () => {
    const tags = [
      ['maintainers', B, npubEncode(C)],
      ['maintainers', C],
      ['m', A, '1', '2'],
      ['M', C],
    ]
    const roles = rolesOf(tags, 'early')
    expect([[...roles.listed], roles.leads.size, roles.isAuthorActive]).toEqual([[B, C], 0, true])
  })
})

describe('an announcement is led by', () => {
  it.each<[string, string[][], string[]]>([
    ['nobody who stands in m', [['m', B]], []],
    ['who is in an active M', [['M', B]], [B]],
    ['nobody whose M has ended', [['M', B, '1', '2']], []],
    [
      'the author, when he says so',
      [
        ['M', A],
        ['m', B],
      ],
      [A],
    ],
    [
      'several',
      [
        ['M', B],
        ['M', C],
        ['M', B],
      ],
      [B, C],
    ],
  ])('%s', (_what, tags, leads) => expect([...rolesOf(tags).leads]).toEqual(leads))
})

describe('an author', () => {
  it.each<[string, string[][], boolean]>([
    ['without roles', [['maintainers', B]], true],
    ['in no role tag', [['m', B]], true],
    ['with a role of his own', [['m', A]], true],
    [
      'with one of several',
      [
        ['m', A, '1', '2'],
        ['M', A, '3'],
      ],
      true,
    ],
    [
      'with a role that ended',
      [
        ['m', A, '1', '2'],
        ['m', B],
      ],
      false,
    ],
    ['with a malformed role', [['m', A, 'abc']], false],
    ['as moderator only', [['o', A]], false],
    [
      'as moderator and maintainer',
      [
        ['o', A],
        ['m', A],
      ],
      true,
    ],
    ['in capitals', [['m', A.toUpperCase(), '1', '2']], false],
  ])('%s is active: %s', (_what, tags, isActive) => expect(rolesOf(tags).isAuthorActive).toBe(isActive))
})
