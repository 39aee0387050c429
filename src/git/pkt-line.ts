/** A line of git's protocol; `flush` ends a message, `delimiter` parts its sections. */
export type Packet = { readonly type: 'line'; readonly text: string } | { readonly type: 'flush' | 'delimiter' }

/** A flush packet: the end of a message. */
export const FLUSH = '0000'
/** A delimiter packet: the end of the capabilities, before the arguments. */
export const DELIMITER = '0001'

/** Writes a line for git's protocol. */
export function writePacket(text: string): string {
  return (Buffer.byteLength(text) + 4).toString(16).padStart(4, '0') + text
}

/** The packets of an answer (gitprotocol-common); throws if it is none, or ends in the middle of one. */
export function readPackets(bytes: Buffer): readonly Packet[] {
  const packets: Packet[] = []
  for (let at = 0; at < bytes.length;) {
    const digits = bytes.toString('latin1', at, at + 4)
    if (!/^[0-9a-f]{4}$/i.test(digits)) throw new Error("the answer is not in git's protocol")
    const length = Number.parseInt(digits, 16)
    const end = at + Math.max(length, 4)
    if (end > bytes.length || length === 3) throw new Error("the answer ends in the middle of a line of git's protocol")
    packets.push(packetOf(length, bytes.toString('utf8', at + 4, end)))
    at = end
  }
  return packets
}

/** The first packet of an answer that may go on; undefined if it is not whole, or no packet. */
export function readFirstPacket(bytes: Buffer): Packet | undefined {
  const digits = bytes.toString('latin1', 0, 4)
  const length = Number.parseInt(digits, 16)
  if (!/^[0-9a-f]{4}$/i.test(digits) || length === 3 || length > bytes.length) return undefined
  return packetOf(length, bytes.toString('utf8', 4, Math.max(length, 4)))
}

function packetOf(length: number, text: string): Packet {
  if (length >= 4) return { type: 'line', text: text.replace(/\n$/, '') }
  return { type: length === 1 ? 'delimiter' : 'flush' }
}
