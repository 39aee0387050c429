import { lookup as systemLookup, type LookupAddress } from 'node:dns'
import { isIPv6, type LookupFunction } from 'node:net'
import { literalAddress } from './public-address.ts'

/** Resolves a name to all its addresses. Rejects if there are none. */
export type Resolver = (hostname: string) => Promise<readonly LookupAddress[]>

/** The resolver of the operating system. */
export const resolveBySystem: Resolver = (hostname) =>
  new Promise((resolve, reject) => {
    systemLookup(hostname, { all: true }, (error, addresses) => (error === null ? resolve(addresses) : reject(error)))
  })

/** Returns a resolver that rejects if any address of the name, or a literal address, is not allowed. */
export function guardResolver(resolver: Resolver, isAllowed: (address: string) => boolean): Resolver {
  return async (hostname) => {
    const literal = literalAddress(hostname)
    const addresses =
      literal === undefined ? await resolver(hostname) : [{ address: literal, family: isIPv6(literal) ? 6 : 4 }]
    const refused = addresses.find(({ address }) => !isAllowed(address))
    if (refused !== undefined) throw new Error(`${hostname} resolves to ${refused.address}, which is not allowed here`)
    return addresses
  }
}

/** Adapts a resolver to sockets. The socket dials what it returns, so a second DNS answer cannot slip in between. */
export function createLookup(resolver: Resolver): LookupFunction {
  return (hostname, options, callback) => {
    resolver(hostname).then(
      (addresses) => {
        const [first] = addresses
        if (options.all === true) callback(null, [...addresses])
        else callback(null, first?.address ?? '', first?.family)
      },
      (error: NodeJS.ErrnoException) => callback(error, '', 0),
    )
  }
}
