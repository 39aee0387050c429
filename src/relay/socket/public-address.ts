import { BlockList, isIPv4, isIPv6 } from 'node:net'

/**
 * The class of an address or a name. `private`: this machine and its networks. `special`: never used for relays
 * (link-local, multicast, documentation, reserved). `hidden`: a network other than the internet (Tor, I2P).
 */
export type HostClass = 'public' | 'private' | 'special' | 'hidden'

// IANA's registries of special-purpose addresses (RFC 6890), and deprecated ranges.
const PRIVATE = blockList([
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['::1', 128],
  ['fc00::', 7],
])
const SPECIAL = blockList([
  ['0.0.0.0', 8],
  ['169.254.0.0', 16],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
])
/** All allocated addresses. The rest is link-local, multicast, local NAT64 or unused. */
const GLOBAL_UNICAST = blockList([['2000::', 3]])
/** Ranges whose last 32 bits are the IPv4 address actually reached: IPv4-mapped (RFC 4291), NAT64 (RFC 6052). */
const CARRIES_IPV4 = blockList([
  ['::ffff:0:0', 96],
  ['64:ff9b::', 96],
])

const HIDDEN_NAMES = /(^|\.)(onion|i2p|loki)$/
const SPECIAL_NAMES = /(^|\.)(test|example|invalid|alt|arpa)$/
const PRIVATE_NAMES = /^[^.]*$|\.(localhost|local|internal|intranet|lan|home|corp|private|localdomain|home\.arpa)$/

/** The class of an IP address; `special` for any other text. */
export function classifyAddress(address: string): HostClass {
  if (isIPv4(address)) return classifyIn('ipv4', address)
  if (!isIPv6(address) || address.includes('%')) return 'special'
  const carried = carriedIPv4(address)
  if (carried !== undefined) return classifyIn('ipv4', carried)
  const found = classifyIn('ipv6', address)
  return found === 'public' && !GLOBAL_UNICAST.check(address, 'ipv6') ? 'special' : found
}

/**
 * The class of a URL's host (lower case, no trailing dot), judged by the name alone; a public name may still resolve to
 * anything.
 */
export function classifyHost(hostname: string): HostClass {
  const literal = literalAddress(hostname)
  if (literal !== undefined) return classifyAddress(literal)
  if (HIDDEN_NAMES.test(hostname)) return 'hidden'
  if (PRIVATE_NAMES.test(hostname)) return 'private'
  return SPECIAL_NAMES.test(hostname) ? 'special' : 'public'
}

/** The address in place of a host name in a URL; `undefined` for a name. */
export function literalAddress(hostname: string): string | undefined {
  const address = hostname.replace(/^\[(.*)\]$/, '$1')
  return isIPv4(address) || isIPv6(address) ? address : undefined
}

function classifyIn(family: 'ipv4' | 'ipv6', address: string): HostClass {
  if (PRIVATE.check(address, family)) return 'private'
  return SPECIAL.check(address, family) ? 'special' : 'public'
}

function carriedIPv4(address: string): string | undefined {
  if (!CARRIES_IPV4.check(address, 'ipv6')) return undefined
  // URLs normalise addresses: the last 32 bits become two groups of hex digits.
  const groups = new URL(`http://[${address}]`).hostname.slice(1, -1).split(':')
  const [high = 0, low = 0] = groups.slice(-2).map((group) => Number.parseInt(group || '0', 16))
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}

function blockList(ranges: readonly (readonly [address: string, prefix: number])[]): BlockList {
  const list = new BlockList()
  for (const [address, prefix] of ranges) list.addSubnet(address, prefix, isIPv4(address) ? 'ipv4' : 'ipv6')
  return list
}
