import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import {
  compareBounds,
  decodeMessage,
  encodeMessage,
  encodeVarint,
  END,
  maxEncodedBytes,
  ProtocolError,
  START,
  type Bound,
  type Range,
} from '../../src/relay/negentropy/negentropy-message.ts'
import { idOf, makeItems } from '../support/id-items.ts'
import { createReference } from '../support/test-responders.ts'

const hexBytes = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => Buffer.from(bytes).toString('hex'))
const prefix = fc.uint8Array({ maxLength: 32 }).map((bytes) =>
  Buffer.from(bytes)
    .toString('hex')
    .replace(/(?:00)+$/, ''),
)
const bound: fc.Arbitrary<Bound> = fc.record({
  timestamp: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.maxSafeNat()),
  id: prefix,
})
const ids = fc.uniqueArray(hexBytes(32), { maxLength: 4 })
const payload = fc.oneof(
  fc.constant({ type: 'skip' } as const),
  hexBytes(16).map((fingerprint) => ({ type: 'fingerprint', fingerprint }) as const),
  ids.map((listed) => ({ type: 'ids', ids: listed }) as const),
)

const bounded = fc.record({ upper: bound, body: payload })

/** Ranges with rising bounds, the last one perhaps without end. */
const message = fc
  .tuple(fc.uniqueArray(bounded, { comparator: (a, b) => compareBounds(a.upper, b.upper) === 0 }), fc.option(payload))
  .map(([ranges, last]): Range[] => {
    const rising = ranges.filter(({ upper }) => compareBounds(upper, START) > 0)
    rising.sort((a, b) => compareBounds(a.upper, b.upper))
    return [...rising, ...(last === null ? [] : [{ upper: END, body: last }])].map(({ upper, body }) => ({
      ...body,
      upper,
    }))
  })

describe('a message', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(message, (ranges) => {
        expect(decodeMessage(encodeMessage(ranges))).toEqual(ranges)
      }),
    )
  })

  it('is never longer than foretold', () => {
    fc.assert(
      fc.property(message, (ranges) => {
        const most = ranges.reduce((sum, range) => sum + maxEncodedBytes(range), 1)
        expect(encodeMessage(ranges).length / 2).toBeLessThanOrEqual(most)
      }),
    )
  })

  it('of the reference implementation is written by us in the same bytes', async () => {
    const answer = await createReference(makeItems(1_000, { perSecond: 7 }))('610000' + '02' + '00')
    const split = await createReference(makeItems(1_000, { perSecond: 7 }))('610000' + '01' + 'ff'.repeat(16))
    expect(encodeMessage(decodeMessage(answer))).toBe(answer)
    expect(encodeMessage(decodeMessage(split))).toBe(split)
  })

  it('reads bounds that end in zeros as the same points', () => {
    const [first, second] = decodeMessage('61' + '01' + '02ab00' + '00' + '01' + '01ac' + '00')
    expect(first?.upper).toEqual({ timestamp: 0, id: 'ab' })
    expect(second?.upper).toEqual({ timestamp: 0, id: 'ac' })
  })

  it('may say more at the end', () => {
    const [first, second] = decodeMessage('61' + '00000200' + '000001' + 'ab'.repeat(16))
    expect([first?.upper, second?.upper]).toEqual([END, END])
  })

  it('may have times far in the future', () => {
    const ranges: Range[] = [{ type: 'skip', upper: { timestamp: 2 ** 40, id: '' } }]
    expect(decodeMessage(encodeMessage(ranges))).toEqual(ranges)
  })
})

describe('a varint', () => {
  it.each([
    [0, '00'],
    [127, '7f'],
    [128, '8100'],
    [300, '822c'],
    [2 ** 53 - 1, '8fffffffffffff7f'],
  ])('of %d is %s', (value, hex) => expect(encodeVarint(value)).toBe(hex))
})

describe('a hostile message', () => {
  const id = idOf('x')
  it.each([
    ['nothing', '', 'ends too early'],
    ['no hex', '6g', 'not hex'],
    ['half a byte', '610', 'not hex'],
    ['version 0', '60', 'version 0x60'],
    ['version 2', '62', 'version 0x62'],
    ['a bound without a prefix', '6101', 'ends too early'],
    ['a prefix that is cut off', '610102ab', 'ends too early'],
    ['a prefix of 33 bytes', '610121' + '00'.repeat(33), 'bound of 33 bytes'],
    ['no mode', '610000', 'ends too early'],
    ['mode 3', '61000003', 'mode 3'],
    ['half a fingerprint', '61000001' + 'ab'.repeat(8), 'ends too early'],
    ['a list without its ids', '6100000202' + id, 'ends too early'],
    ['a list of 2^53 ids', '61000002' + '8fffffffffffff7f', 'ends too early'],
    ['an id twice', '6100000202' + id + id, 'an id twice'],
    ['ids in an empty range', '61' + '010000' + '01000201' + id, 'an empty range'],
    ['a number over 2^53', '61' + '90808080808080' + '00' + '0000', '2^53'],
    ['a number without end', '61' + '80'.repeat(1_000), '2^53'],
    ['a time over 2^53 in two steps', '61' + '8fffffffffffff7f0000' + '8fffffffffffff7f0000', '2^53'],
    ['bounds that go backwards', '61' + '0101ac00' + '0101ab00', 'backwards'],
    ['a range behind the end', '61' + '000000' + '010000', 'backwards'],
  ])('is refused: %s', (_, hex, reason) => {
    expect(() => decodeMessage(hex)).toThrow(ProtocolError)
    expect(() => decodeMessage(hex)).toThrow(reason)
  })

  it('of random bytes is read or refused, and never anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          const ranges = decodeMessage('61' + Buffer.from(bytes).toString('hex'))
          expect(decodeMessage(encodeMessage(ranges))).toEqual(ranges)
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError)
        }
      }),
      { numRuns: 1_000 },
    )
  })

  it('that is a true one cut off is refused or shorter', async () => {
    const whole = await createReference(makeItems(100))('610000' + '01' + 'ff'.repeat(16))
    const ranges = decodeMessage(whole)
    for (let length = 2; length < whole.length; length += 2) {
      try {
        expect(ranges).toEqual(expect.arrayContaining(decodeMessage(whole.slice(0, length))))
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError)
      }
    }
  })
})
