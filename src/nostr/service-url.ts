import { hostAndPort, hostOf, parseUrl, portOf, withoutTrailing } from './host.ts'

/** The location of a GRASP service as announcements name it: its relay at `path`, its git repositories below. */
export type Service = {
  /** `host:port` plus the path if there is one; the name used in the state file and in reports. */
  readonly name: string
  readonly host: string
  /** `undefined` when the service URL has no port; then any URL with the default port of its scheme matches. */
  readonly port: string | undefined
  /** Without trailing slashes, empty at the root, case-sensitive. */
  readonly path: string
}

/** How a URL path must relate to the base path: a `relays` path equals it; a `clone` path equals it or lies below. */
type Reach = 'equal' | 'below'

/**
 * Parses a service URL, ignoring query and user; `undefined` when the text is not a URL with a host and a known port.
 */
export function readService(text: string): Service | undefined {
  const url = parseUrl(text)
  const place = hostAndPort(text)
  if (url === undefined || place === undefined) return undefined
  const path = withoutTrailing(url.pathname, '/')
  return { name: place + path, host: hostOf(url), port: url.port === '' ? undefined : url.port, path }
}

/**
 * Whether an announcement names the service in both a `clone` and a `relays` value (GRASP-01). Compares parsed URLs,
 * not substrings. Set `relaysMayLieBelow` for ngit-grasp 1.x and ngit-relay, which ignore the path.
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

/** Whether a `clone` URL lies at the service or below it, as `listsService` compares. */
export function isCloneAt(url: string, service: Service): boolean {
  return isAt(url, service, 'below')
}

/** Ignores scheme, user, query and fragment. A text without `://` is read as `https://`. */
function isAt(text: string, { host, port, path: base }: Service, reach: Reach): boolean {
  const url = parseUrl(text.includes('://') ? text : `https://${text}`)
  if (url === undefined || hostOf(url) !== host) return false
  const isPort = port === undefined ? url.port === '' : portOf(url) === port
  if (!isPort) return false
  const path = withoutTrailing(url.pathname, '/')
  return path === base || (reach === 'below' && path.startsWith(`${base}/`))
}
