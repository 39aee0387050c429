/*
 * The messages of negentropy, protocol version 1 (NIP-77), in the hex of NEG frames.
 *
 * A message divides the space of all (created_at, id) into ranges. Each range starts where the previous one ended (the
 * first at START) and ends at its own bound, exclusive. The space after the last range counts as skipped. Varints are
 * base 128, most significant digit first. Times are written as 1 + the distance from the previous bound; 0 means END.
 */

/**
 * A point between events: events with an earlier `timestamp`, or the same timestamp and a lower id, lie below it. `id`
 * is a hex prefix without trailing zero bytes.
 */
export type Bound = { readonly timestamp: number; readonly id: string }

/** A range of a message. It starts where the previous one ended. */
export type Range =
  | { readonly type: 'skip'; readonly upper: Bound }
  /** 16 bytes in hex, see `fingerprintOf`. */
  | { readonly type: 'fingerprint'; readonly upper: Bound; readonly fingerprint: string }
  | { readonly type: 'ids'; readonly upper: Bound; readonly ids: readonly string[] }

/** A responder broke the protocol. The message says how, and starts with "it". */
export class ProtocolError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'ProtocolError'
  }
}

/** Below every event. */
export const START: Bound = { timestamp: 0, id: '' }
/** Above every event. */
export const END: Bound = { timestamp: Infinity, id: '' }

const VERSION = '61'
const ID_BYTES = 32
const FINGERPRINT_BYTES = 16
// Seven digits of 7 bits and part of an eighth: 2 ** 53.
const MAX_VARINT_BYTES = 8
const MODE = { skip: 0, fingerprint: 1, ids: 2 } as const
// A time of 8 bytes, the length of the prefix, the mode, and a count of 6.
const RANGE_OVERHEAD_BYTES = 16

/** Returns a negative number, zero or a positive number if `a` is below, at or above `b`. */
export function compareBounds(a: Bound, b: Bound): number {
  if (a.timestamp !== b.timestamp) return a.timestamp < b.timestamp ? -1 : 1
  if (a.id === b.id) return 0
  return a.id < b.id ? -1 : 1
}

/** Encodes a message with these ranges, in hex. */
export function encodeMessage(ranges: readonly Range[]): string {
  const parts = [VERSION]
  let last = START.timestamp
  for (const range of ranges) {
    parts.push(encodeBound(range.upper, last), encodePayload(range))
    last = range.upper.timestamp
  }
  return parts.join('')
}

/** The most bytes that the range can take in a message. */
export function maxEncodedBytes(range: Range): number {
  const payload = range.type === 'ids' ? range.ids.length * ID_BYTES : FINGERPRINT_BYTES
  return RANGE_OVERHEAD_BYTES + range.upper.id.length / 2 + payload
}

/** Encodes a non-negative safe integer as a varint, in hex. */
export function encodeVarint(value: number): string {
  let hex = byteHex(value % 128)
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) {
    hex = byteHex(128 + (rest % 128)) + hex
  }
  return hex
}

/** Decodes the ranges of a message. Throws ProtocolError. */
export function decodeMessage(hex: string): Range[] {
  const reader = new Reader(hex)
  const version = reader.hex(1)
  if (version !== VERSION) throw new ProtocolError(`it speaks version 0x${version} of the protocol`)
  const ranges: Range[] = []
  for (let lower = START; !reader.isAtEnd();) {
    // A responder without room may add a fingerprint even after END.
    const upper = readBound(reader, lower)
    if (compareBounds(upper, lower) < 0) throw new ProtocolError('its bounds go backwards')
    ranges.push(readRange(reader, upper, lower))
    lower = upper
  }
  return ranges
}

function encodeBound({ timestamp, id }: Bound, last: number): string {
  const time = timestamp === Infinity ? 0 : timestamp - last + 1
  return encodeVarint(time) + encodeVarint(id.length / 2) + id
}

function encodePayload(range: Range): string {
  const mode = encodeVarint(MODE[range.type])
  switch (range.type) {
    case 'skip':
      return mode
    case 'fingerprint':
      return mode + range.fingerprint
    case 'ids':
      return mode + encodeVarint(range.ids.length) + range.ids.join('')
  }
}

function withoutZeroes(hex: string): string {
  let end = hex.length
  while (end > 0 && hex.slice(end - 2, end) === '00') end -= 2
  return hex.slice(0, end)
}

function readBound(reader: Reader, { timestamp: last }: Bound): Bound {
  const time = reader.varint()
  const length = reader.varint()
  if (length > ID_BYTES) throw new ProtocolError(`it sends a bound of ${length} bytes`)
  const id = withoutZeroes(reader.hex(length))
  if (time === 0) return END
  if (last === END.timestamp) throw new ProtocolError('its bounds go backwards')
  const timestamp = last + time - 1
  if (timestamp > Number.MAX_SAFE_INTEGER) throw new ProtocolError('it sends a number over 2^53')
  return { timestamp, id }
}

function readRange(reader: Reader, upper: Bound, lower: Bound): Range {
  const mode = reader.varint()
  switch (mode) {
    case MODE.skip:
      return { type: 'skip', upper }
    case MODE.fingerprint:
      return { type: 'fingerprint', upper, fingerprint: reader.hex(FINGERPRINT_BYTES) }
    case MODE.ids:
      return { type: 'ids', upper, ids: readIds(reader, compareBounds(upper, lower) === 0) }
    default:
      throw new ProtocolError(`it sends a range of mode ${mode}`)
  }
}

function readIds(reader: Reader, isEmptyRange: boolean): string[] {
  const count = reader.varint()
  if (isEmptyRange && count > 0) throw new ProtocolError('it lists ids in an empty range')
  reader.expect(count * ID_BYTES)
  const ids = Array.from({ length: count }, () => reader.hex(ID_BYTES))
  if (new Set(ids).size < ids.length) throw new ProtocolError('it lists an id twice')
  return ids
}

/** Reads a message from its start. Throws ProtocolError if the message ends too early. */
class Reader {
  readonly #bytes: Buffer
  #offset = 0

  constructor(hex: string) {
    this.#bytes = Buffer.from(hex, 'hex')
    if (this.#bytes.length * 2 !== hex.length) throw new ProtocolError('it sends a message that is not hex')
  }

  isAtEnd(): boolean {
    return this.#offset === this.#bytes.length
  }

  expect(length: number): void {
    if (length > this.#bytes.length - this.#offset) throw new ProtocolError('it sends a message that ends too early')
  }

  hex(length: number): string {
    this.expect(length)
    this.#offset += length
    return this.#bytes.toString('hex', this.#offset - length, this.#offset)
  }

  varint(): number {
    let value = 0
    for (let digits = 1; digits <= MAX_VARINT_BYTES; digits += 1) {
      this.expect(1)
      const byte = this.#bytes.readUInt8(this.#offset)
      this.#offset += 1
      value = value * 128 + (byte & 127)
      if (value > Number.MAX_SAFE_INTEGER) break
      if (byte < 128) return value
    }
    throw new ProtocolError('it sends a number over 2^53')
  }
}

function byteHex(byte: number): string {
  return byte.toString(16).padStart(2, '0')
}
