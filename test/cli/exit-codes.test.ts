import { describe, expect, it } from 'vitest'
import { worstExit } from '../../src/cli/exit-codes.ts'

describe('worstExit', () => {
  it.each([
    [[0, 0], 0],
    [[], 0],
    [[0, 5, 3, 1], 1],
    [[0, 5, 3], 3],
    [[5, 0], 5],
    [[3, 2], 2],
    [[3, 4], 3],
    [[4, 0], 4],
  ])('of %j is %i', (codes, expected) => {
    expect(worstExit(codes)).toBe(expected)
  })
})
