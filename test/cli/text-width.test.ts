import { describe, expect, it } from 'vitest'
import { ellipsize, ellipsizeMiddle, padText, visibleWidth, wrapText } from '../../src/cli/render/text-width.ts'

describe('visibleWidth', () => {
  it.each([
    ['', 0],
    ['abc', 3],
    ['\u001b[2m·\u001b[22m', 1],
    ['漢字', 4],
    ['e\u0301', 1],
    ['🚀', 2],
    ['❤\ufe0f', 2],
    ['ｆｕｌｌ', 8],
  ])('%j takes %i columns', (text, width) => {
    expect(visibleWidth(text)).toBe(width)
  })
})

describe('ellipsize', () => {
  it('cuts only what is too long', () => {
    expect(ellipsize('abcdef', 6)).toBe('abcdef')
    expect(ellipsize('abcdefg', 6)).toBe('abcde…')
    expect(ellipsize('漢字漢字', 6)).toBe('漢字…')
  })
})

describe('ellipsizeMiddle', () => {
  it('keeps both ends', () => {
    expect(ellipsizeMiddle('nevent1qqs2h2at4w46h2at4w46', 12)).toBe('nevent1q…w46')
    expect(ellipsizeMiddle('short', 12)).toBe('short')
  })
})

describe('wrapText', () => {
  it('breaks at spaces', () => {
    expect(wrapText('one two three', 8)).toEqual(['one two', 'three'])
  })

  it('cuts a word that is longer than a line', () => {
    expect(wrapText('a wwwwwwwwww b', 4)).toEqual(['a', 'wwww', 'wwww', 'ww b'])
    expect(wrapText('漢字漢字', 5)).toEqual(['漢字', '漢字'])
  })

  it('has one empty line for an empty text', () => {
    expect(wrapText('', 10)).toEqual([''])
  })
})

describe('padText', () => {
  it('pads by columns, not by characters', () => {
    expect(padText('漢', 4, 'left')).toBe('漢  ')
    expect(padText('7', 3, 'right')).toBe('  7')
  })
})
