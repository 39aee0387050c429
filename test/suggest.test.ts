import { describe, expect, it } from 'vitest'
import { suggestSimilar } from '../src/scope/suggest.ts'

describe('suggestSimilar', () => {
  it.each([
    ['sorce', 'source'],
    ['soruce', 'source'],
    ['Target', 'target'],
    ['idle-time', 'idle-timeout'],
    ['xyz', undefined],
    ['', undefined],
  ])('for %j is %s', (word, expected) => {
    expect(suggestSimilar(word, ['source', 'target', 'idle-timeout', 'json'])).toBe(expected)
  })

  it('is quick for a very long word', () => {
    expect(suggestSimilar('x'.repeat(100_000), ['source'])).toBeUndefined()
  })
})
