import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { escapeForTerminal } from '../../src/cli/escape.ts'

const codePoint = (code: number): string => String.fromCodePoint(code)
const range = (first: number, last: number): number[] => Array.from({ length: last - first + 1 }, (_, i) => first + i)

const UNSAFE_RANGES: readonly (readonly [name: string, codes: readonly number[]])[] = [
  ['C0', range(0x00, 0x1f)],
  ['DEL', [0x7f]],
  ['C1', range(0x80, 0x9f)],
  ['soft hyphen', [0xad]],
  ['Arabic letter mark', [0x61c]],
  ['Hangul fillers', [0x115f, 0x1160, 0x3164, 0xffa0]],
  ['zero-width', [...range(0x200b, 0x200d), 0x2060, 0xfeff]],
  ['directional marks', [0x200e, 0x200f]],
  ['line and paragraph separators', [0x2028, 0x2029]],
  ['bidi embeddings and overrides', range(0x202a, 0x202e)],
  ['bidi isolates', range(0x2066, 0x2069)],
  ['invisible operators', range(0x2061, 0x2064)],
  ['lone surrogates', [0xd800, 0xdbff, 0xdc00, 0xdfff]],
  ['variation selectors but for emoji', [...range(0xfe00, 0xfe0d), ...range(0xe0100, 0xe01ef)]],
  ['interlinear annotations', range(0xfff9, 0xfffb)],
  ['tags', range(0xe0000, 0xe007f)],
]

describe('escapeForTerminal', () => {
  it.each(UNSAFE_RANGES)('makes %s visible', (_name, codes) => {
    for (const code of codes) {
      const escaped = escapeForTerminal(`a${codePoint(code)}b`)
      expect(escaped).not.toContain(codePoint(code))
      expect(escaped).toMatch(/^a\\(?:[nrt]|x[0-9a-f]{2}|u\{[0-9a-f]{3,6}\})b$/)
    }
  })

  it.each([
    ['\x1b[31mred', '\\x1b[31mred'],
    ['\x9b2J', '\\x9b2J'],
    ['\x1b]0;title\x07', '\\x1b]0;title\\x07'],
    ['one\r\ntwo\tthree\0', 'one\\r\\ntwo\\tthree\\x00'],
    ['abc\u202egnp.exe', 'abc\\u{202e}gnp.exe'],
    ['zero\u200bwidth', 'zero\\u{200b}width'],
    ['tag \u{e0041}', 'tag \\u{e0041}'],
    ['lone \ud83d end', 'lone \\u{d83d} end'],
    ['\udc00\ud800', '\\u{dc00}\\u{d800}'],
  ])('writes %j as %j', (text, expected) => expect(escapeForTerminal(text)).toBe(expected))

  it.each([
    '',
    'plain text',
    'Zoë naïve ñ',
    '日本語 한국어',
    'עברית العربية',
    '😀 ❤️ ☎︎ 🇳🇱 👍🏽',
    'e\u0301',
    'C:\\temp',
    '~!"$%&|<>',
  ])('leaves %j as it is', (text) => expect(escapeForTerminal(text)).toBe(text))

  it('keeps a backslash, so that an escape written by a stranger looks like one of ours', () => {
    expect(escapeForTerminal('\\x1b')).toBe('\\x1b')
  })

  it('lets nothing unsafe through, whatever the text', () => {
    const unsafe = new Set(UNSAFE_RANGES.flatMap(([, codes]) => codes))
    const anyText = fc.string({
      unit: fc.oneof(
        fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
        fc.string({ unit: 'binary', maxLength: 1 }),
      ),
    })
    fc.assert(
      fc.property(anyText, fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined }), (text, maxLength) => {
        const escaped = escapeForTerminal(text, maxLength === undefined ? {} : { maxLength })
        expect([...escaped].filter((character) => unsafe.has(character.codePointAt(0) ?? 0))).toEqual([])
      }),
    )
  })
})

describe('escapeForTerminal with maxLength', () => {
  it.each([
    ['abcdef', 6, 'abcdef'],
    ['abcdef', 5, 'abcd…'],
    ['abcdef', 1, '…'],
    ['', 1, ''],
    ['😀😀😀', 3, '😀😀😀'],
    ['😀😀😀😀', 3, '😀😀…'],
    ['a\x1bbc', 6, 'a\\x1b…'],
    ['a\x1b', 5, 'a\\x1b'],
    ['a\x1bb', 5, 'a…'],
    ['\u202e\u202e', 8, '…'],
    ['\u202e\u202e', 9, '\\u{202e}…'],
  ])('cuts %j to %i code points: %j', (text, maxLength, expected) => {
    expect(escapeForTerminal(text, { maxLength })).toBe(expected)
  })

  it('never exceeds the limit, never cuts an escape, and ends with an ellipsis exactly when something is missing', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '😀', '\x1b', '\u202e', '\ud800', '日') })
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 30 }), (stranger, maxLength) => {
        const whole = escapeForTerminal(stranger)
        const cut = escapeForTerminal(stranger, { maxLength })
        if ([...whole].length <= maxLength) {
          expect(cut).toBe(whole)
          return
        }
        expect([...cut].length).toBeLessThanOrEqual(maxLength)
        expect(cut).toMatch(/^(?:a|😀|日|\\x1b|\\u\{202e\}|\\u\{d800\})*…$/u)
        expect(whole.startsWith(cut.slice(0, -1))).toBe(true)
      }),
    )
  })

  it('looks at the beginning only of a huge text', () => {
    const huge = '\x1b'.repeat(5_000_000)
    const before = performance.now()
    expect(escapeForTerminal(huge, { maxLength: 100 })).toBe(`${'\\x1b'.repeat(24)}…`)
    expect(performance.now() - before).toBeLessThan(1000)
  })
})
