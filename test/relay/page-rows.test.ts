import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { PageMemory } from '../../src/relay/socket/page-memory.ts'
import { PageRows } from '../../src/relay/socket/page-rows.ts'
import { issue, repositoryAddress } from '../support/builders.ts'
import { keyOf } from '../support/sign.ts'

const MIB = 1024 * 1024
const alice = keyOf('alice')
const row = (createdAt: number) => issue(repositoryAddress(alice, 'repo'), alice, { createdAt })

/** Rows of these seconds, each of one mebibyte: the page is full with the fifth. */
function pageOf(seconds: readonly number[], bounds: { isByIds?: boolean; maxPageBytes?: number } = {}) {
  const rows = new PageRows({ maxPageBytes: 32 * MIB, maxPageRows: 10_000, isByIds: false, ...bounds })
  const excess = seconds.map((second, index) => rows.add(row(second), (index + 1) * MIB)).find((each) => each !== null)
  return { kept: rows.kept.map((each) => (each as { created_at: number }).created_at), readOver: rows.readOver, excess }
}

describe('PageRows', () => {
  it('keeps a page of usual size whole', () => {
    expect(pageOf([4, 3, 2, 1])).toEqual({ kept: [4, 3, 2, 1], readOver: 0, excess: undefined })
  })

  it('reads over what is older once it is full, and tears no second', () => {
    expect(pageOf([9, 9, 8, 7, 7, 7, 6, 5])).toEqual({ kept: [9, 9, 8, 7, 7, 7], readOver: 2, excess: undefined })
  })

  it('keeps a second of any size up to the bound of a page', () => {
    expect(pageOf(Array<number>(40).fill(7))).toMatchObject({ readOver: 0, excess: `page over ${32 * MIB} bytes` })
  })

  it('believes no page that is out of order where it was read over', () => {
    expect(pageOf([9, 8, 7, 6, 5, 4, 8])).toMatchObject({
      excess: `page over ${4 * MIB} bytes is not in descending order`,
    })
  })

  it('takes any order where ids were asked for', () => {
    expect(pageOf([1, 9, 2, 8, 3, 7], { isByIds: true })).toEqual({
      kept: [1, 9, 2, 8],
      readOver: 2,
      excess: undefined,
    })
  })

  it('ends what has no end', () => {
    const seconds = Array.from({ length: 400 }, (_, index) => 1_000 - index)
    expect(pageOf(seconds)).toMatchObject({ excess: `page over ${256 * MIB} bytes` })
  })

  it('keeps exactly the rows from its oldest second on', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(6), { maxLength: 12 }), (any) => {
        const seconds = any.toSorted((a, b) => b - a)
        const { kept, readOver } = pageOf(seconds)
        const oldest = readOver > 0 ? Math.min(...kept) : -1
        expect(kept).toEqual(seconds.filter((second) => second >= oldest))
      }),
    )
  })
})

describe('PageMemory', () => {
  const bounds = { maxPageBytes: 32 * MIB, maxPageRows: 10_000, isByIds: false }

  it('cuts large pages, and no small ones, while all pages together take too much', () => {
    const memory = new PageMemory(() => 0)
    const others = Array.from({ length: 31 }, () => memory.open())
    for (const other of others) other.grow(MIB)
    const [large, small] = [memory.open(), memory.open()].map((share) => new PageRows({ ...bounds, share }))
    for (const [index, second] of [9, 8, 7].entries()) large?.add(row(second), (index + 1) * MIB)
    for (const [index, second] of [9, 8, 7].entries()) small?.add(row(second), (index + 1) * 1_000)
    expect([large?.kept.length, large?.readOver, small?.kept.length, small?.readOver]).toEqual([1, 2, 3, 0])
  })

  it('counts a page that has ended no more', () => {
    const memory = new PageMemory(() => 0)
    const others = Array.from({ length: 40 }, () => memory.open())
    for (const other of others) other.grow(MIB)
    for (const other of others) other.end()
    expect(memory.open().grow(MIB)).toBe(false)
  })
})
