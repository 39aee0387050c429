import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { isRefName } from '../../src/git/ref-name.ts'

/** Pieces that the rules of git are about, and some that they are not. */
const piece = fc.constantFrom(
  ...['refs', 'heads', 'main', '/', '/', '.', '..', '.lock', '@', '{', '@{', '~', '^', ':', '?', '*', '[', '\\', ' '],
  ...[
    '-',
    '-x',
    'ü',
    '日本',
    '\u0001',
    '\u007f',
    '\u0085',
    '\n',
    '\t',
    'a.b',
    'lock',
    '}',
    "'",
    '"',
    '$(x)',
    ';',
    '=',
    '%00',
  ],
)
const name = fc.array(piece, { minLength: 1, maxLength: 7 }).map((pieces) => pieces.join(''))

describe('isRefName', () => {
  it('says the same as git check-ref-format', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          name,
          name.map((rest) => `refs/heads/${rest}`),
        ),
        (text) => {
          expect(isRefName(text)).toBe(spawnSync('git', ['check-ref-format', text]).status === 0)
        },
      ),
      { numRuns: 400 },
    )
  })

  it.each(['refs/heads/main', 'refs/heads/-x', 'refs/tags/v1.0', `refs/nostr/${'a'.repeat(64)}`, 'refs/heads/a@b'])(
    'takes %s',
    (text) => expect(isRefName(text)).toBe(true),
  )

  it.each([
    'HEAD',
    '',
    '@',
    'refs/heads/../x',
    'refs/heads/a\0b',
    '-x/refs',
    '--upload-pack=evil/x',
    'refs/heads/x.lock/y',
  ])('refuses %j', (text) => expect(isRefName(text)).toBe(false))

  it('refuses a name of more than 1,024 bytes', () => {
    expect(isRefName(`refs/heads/${'x'.repeat(1013)}`)).toBe(true)
    expect(isRefName(`refs/heads/${'x'.repeat(1014)}`)).toBe(false)
  })
})
