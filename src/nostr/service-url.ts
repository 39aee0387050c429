import { hostAndPort, hostOf, parseUrl, portOf, withoutTrailing } from './host.ts'

/** Where a GRASP service is, as announcements name it: its relay at `path`, its git repositories below. */
export type Service = {
  /** `host:port`, and the path when there is one: what the state file and people know it by. */
  readonly name: string
  readonly host: string
  /** `undefined`: the URL of the service gave none, so any URL with the default port of its scheme is meant. */
  readonly port: string | undefined
  /** Without slashes at the end, empty at the root. Case matters. */
  readonly path: string
}

/** How the path of a URL must lie: that of `relays` equals the base path, that of `clone` equals it or lies below. */
type Reach = 'equal' | 'below'

/**
 * The service at a URL; `undefined` when the text is not a URL with a host and a known port. Query and user play no
 * part.
 */
export function readService(text: string): Service | undefined {
  const url = parseUrl(text)
  const place = hostAndPort(text)
  if (url === undefined || place === undefined) return undefined
  const path = withoutTrailing(url.pathname, '/')
  return { name: place + path, host: hostOf(url), port: url.port === '' ? undefined : url.port, path }
}

/**
 * Whether an announcement names the service in a `clone` value and in a `relays` value (GRASP-01). URLs are parsed;
 * substrings prove nothing. `relaysMayLieBelow`: ngit-grasp 1.x and ngit-relay look at no path.
 */
export function listsService(
  { clone, relays }: { readonly clone: readonly string[]; readonly relays: readonly string[] },
  service: Service,
  { relaysMayLieBelow = false }: { readonly relaysMayLieBelow?: boolean } = {},
): boolean {
  return (
    clone.some((url) => isAt(url, service, 'below')) &&
    relays.some((url) => isAt(url, service, relaysMayLieBelow ? 'below' : 'equal'))
  )
}

/** Scheme, user, query and fragment play no part. Without `://` it is read as `https://`. */
function isAt(text: string, { host, port, path: base }: Service, reach: Reach): boolean {
  const url = parseUrl(text.includes('://') ? text : `https://${text}`)
  if (url === undefined || hostOf(url) !== host) return false
  const isPort = port === undefined ? url.port === '' : portOf(url) === port
  if (!isPort) return false
  const path = withoutTrailing(url.pathname, '/')
  return path === base || (reach === 'below' && path.startsWith(`${base}/`))
}
