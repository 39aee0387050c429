import { createHash } from 'node:crypto'
import { encodeVarint } from './negentropy-message.ts'

/** A sum of ids modulo 2^256: eight words of 32 bits, the least significant first. */
export type IdSum = Uint32Array

const WORDS = 8
const WORD_BYTES = 4
const WORD_SIZE = 2 ** 32
const FINGERPRINT_HEX_LENGTH = 32

/** The sum of no ids. */
export function createIdSum(): IdSum {
  return new Uint32Array(WORDS)
}

/** Adds the id at this byte offset of the view to the sum. */
export function addId(sum: IdSum, view: DataView, offset: number): void {
  let carry = 0
  for (let word = 0; word < WORDS; word += 1) {
    const total = (sum[word] ?? 0) + view.getUint32(offset + word * WORD_BYTES, true) + carry
    carry = total >= WORD_SIZE ? 1 : 0
    sum[word] = total
  }
}

/** Subtracts `other` from the sum. */
export function subtractSum(sum: IdSum, other: IdSum): void {
  let borrow = 0
  for (let word = 0; word < WORDS; word += 1) {
    const difference = (sum[word] ?? 0) - (other[word] ?? 0) - borrow
    borrow = difference < 0 ? 1 : 0
    sum[word] = difference
  }
}

/** The fingerprint of `count` ids with this sum (negentropy v1): 16 bytes in hex. */
export function sealFingerprint(sum: IdSum, count: number): string {
  const input = Buffer.alloc(WORDS * WORD_BYTES)
  sum.forEach((word, index) => input.writeUInt32LE(word, index * WORD_BYTES))
  const hash = createHash('sha256').update(input).update(encodeVarint(count), 'hex')
  return hash.digest('hex').slice(0, FINGERPRINT_HEX_LENGTH)
}

/** The fingerprint of a range with these ids. */
export function fingerprintOf(ids: readonly string[]): string {
  const bytes = Buffer.from(ids.join(''), 'hex')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const sum = createIdSum()
  for (let offset = 0; offset < bytes.length; offset += WORDS * WORD_BYTES) addId(sum, view, offset)
  return sealFingerprint(sum, ids.length)
}
