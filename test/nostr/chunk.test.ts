import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chunkByCountAndBytes } from '../../src/nostr/chunk.ts'

const chunk = <T>(items: Iterable<T>, maxCount: number, maxBytes: number): T[][] => [
  ...chunkByCountAndBytes(items, { maxCount, maxBytes }),
]
const bytesOf = (group: readonly string[]): number => Buffer.byteLength(JSON.stringify(group))

describe('chunkByCountAndBytes', () => {
  it('gives no group for no items', () => expect(chunk([], 10, 10)).toEqual([]))

  it('fills groups up to the count', () => {
    expect(chunk([1, 2, 3, 4, 5], 2, 1_000)).toEqual([[1, 2], [3, 4], [5]])
  })

  it('fills groups up to the bytes, brackets, commas and quotes included', () => {
    expect(bytesOf(['aa', 'bb'])).toBe(11)
    expect(chunk(['aa', 'bb', 'cc'], 100, 11)).toEqual([['aa', 'bb'], ['cc']])
    expect(chunk(['aa', 'bb', 'cc'], 100, 10)).toEqual([['aa'], ['bb'], ['cc']])
  })

  it('counts bytes, not characters, and escapes as they are sent', () => {
    expect(chunk(['€', '€'], 100, 12)).toEqual([['€'], ['€']])
    expect(chunk(['"', '"'], 100, 10)).toEqual([['"'], ['"']])
  })

  it('gives a group of its own to an item that is too large', () => {
    expect(chunk(['a', 'x'.repeat(100), 'b'], 100, 20)).toEqual([['a'], ['x'.repeat(100)], ['b']])
  })

  it('reads its items lazily', () => {
    const groups = chunkByCountAndBytes(endlessNumbers(), { maxCount: 3, maxBytes: 100 })
    expect(groups.next().value).toEqual([0, 1, 2])
    expect(groups.next().value).toEqual([3, 4, 5])
  })

  it('keeps items and order and both limits, and opens no group before it must', () => {
    const text = fc.string({ unit: 'binary', maxLength: 30 })
    fc.assert(
      fc.property(
        fc.array(text),
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 120 }),
        (items, count, bytes) => {
          const groups = chunk(items, count, bytes)
          expect(groups.flat()).toEqual(items)
          for (const [i, group] of groups.entries()) {
            expect(group.length).toBeGreaterThan(0)
            expect(group.length).toBeLessThanOrEqual(count)
            if (group.length > 1) expect(bytesOf(group)).toBeLessThanOrEqual(bytes)
            const withNext = [...group, ...(groups[i + 1]?.slice(0, 1) ?? [])]
            if (withNext.length > group.length) expect(withNext.length > count || bytesOf(withNext) > bytes).toBe(true)
          }
        },
      ),
    )
  })
})

function* endlessNumbers(): Generator<number> {
  for (let i = 0; ; i++) yield i
}
