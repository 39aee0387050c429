/** Bytes as they came; `frame` is the message in them where they are one whole text frame with a JSON array. */
export type Piece = { readonly bytes: Buffer; readonly frame?: readonly unknown[] }

/**
 * Cuts the bytes of one direction of a connection into whole WebSocket frames; what is no WebSocket passes as it came.
 */
export type FrameSplitter = { push(chunk: Buffer): Piece[] }

const HEAD_END = '\r\n\r\n'
const TEXT = 0x81

/** A splitter that first lets the HTTP head pass. `isUpgrade` says whether frames follow such a head. */
export function createFrameSplitter(isUpgrade: (head: string) => boolean): FrameSplitter {
  let state: 'head' | 'frames' | 'raw' = 'head'
  let rest: Buffer = Buffer.alloc(0)
  const takeHead = (): Piece[] => {
    const end = rest.indexOf(HEAD_END)
    if (end === -1) return []
    const head = rest.subarray(0, end + HEAD_END.length)
    rest = rest.subarray(head.length)
    state = isUpgrade(head.toString()) ? 'frames' : 'raw'
    return [{ bytes: head }]
  }
  const takeFrames = (): Piece[] => {
    const pieces: Piece[] = []
    for (let length = frameLength(rest); length !== undefined; length = frameLength(rest)) {
      pieces.push(toPiece(rest.subarray(0, length)))
      rest = rest.subarray(length)
    }
    return pieces
  }
  const takeRaw = (): Piece[] => {
    const bytes = rest
    rest = Buffer.alloc(0)
    return bytes.length === 0 ? [] : [{ bytes }]
  }
  return {
    push(chunk) {
      rest = Buffer.concat([rest, chunk])
      const head = state === 'head' ? takeHead() : []
      if (state === 'head') return head
      return [...head, ...(state === 'frames' ? takeFrames() : takeRaw())]
    },
  }
}

type Layout = { readonly headLength: number; readonly payloadLength: number; readonly isMasked: boolean }

/** RFC 6455, section 5.2; `undefined` while the head of the frame is not there. */
function layoutOf(bytes: Buffer): Layout | undefined {
  if (bytes.length < 2) return undefined
  const second = bytes.readUInt8(1)
  const isMasked = (second & 0x80) !== 0
  const short = second & 0x7f
  const extended = short === 126 ? 2 : short === 127 ? 8 : 0
  const headLength = 2 + extended + (isMasked ? 4 : 0)
  if (bytes.length < headLength) return undefined
  if (extended === 2) return { headLength, payloadLength: bytes.readUInt16BE(2), isMasked }
  if (extended === 8) return { headLength, payloadLength: Number(bytes.readBigUInt64BE(2)), isMasked }
  return { headLength, payloadLength: short, isMasked }
}

function frameLength(bytes: Buffer): number | undefined {
  const layout = layoutOf(bytes)
  const length = layout === undefined ? Infinity : layout.headLength + layout.payloadLength
  return bytes.length < length ? undefined : length
}

function toPiece(bytes: Buffer): Piece {
  const layout = layoutOf(bytes)
  if (layout === undefined || bytes.readUInt8(0) !== TEXT) return { bytes }
  const payload = Buffer.from(bytes.subarray(layout.headLength))
  if (layout.isMasked) unmask(payload, bytes.subarray(layout.headLength - 4, layout.headLength))
  const frame = parseArray(payload.toString())
  return frame === undefined ? { bytes } : { bytes, frame }
}

function unmask(payload: Buffer, mask: Buffer): void {
  for (let index = 0; index < payload.length; index += 1) {
    payload[index] = (payload[index] ?? 0) ^ (mask[index % 4] ?? 0)
  }
}

function parseArray(text: string): readonly unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) ? value : undefined
  } catch {
    return undefined // not every text frame of a test is JSON
  }
}
