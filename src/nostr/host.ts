const DEFAULT_PORTS: Readonly<Record<string, string>> = {
  'ws:': '80',
  'http:': '80',
  'wss:': '443',
  'https:': '443',
  'ssh:': '22',
  'git:': '9418',
}

const LOOPBACK = /^(?:localhost|127\.[\d.]+|0\.0\.0\.0|\[::1?\]|\[::ffff:(?:7f[0-9a-f]{2}:[0-9a-f]{1,4}|0:0)\])$/
const NPUB = /^npub1[02-9ac-hj-np-z]{58}$/
/** Longer URLs cannot be real; authors choose how much they write. */
const MAX_URL_LENGTH = 2_048
const MAX_HOST_LENGTH = 253

/**
 * A relay URL in canonical form: lower-case host, no default port, no user, no trailing slash, no fragment. `undefined`
 * unless the scheme is `ws://` or `wss://`.
 */
export function normalizeRelayUrl(text: string): string | undefined {
  const url = parseUrl(text)
  if (url === undefined || (url.protocol !== 'ws:' && url.protocol !== 'wss:')) return undefined
  const port = url.port === '' ? '' : `:${url.port}`
  return `${url.protocol}//${hostOf(url)}${port}${withoutTrailing(url.pathname, '/')}${url.search}`
}

/**
 * The host and port of a URL as `host:port`, always with the port; `undefined` when the text is not a URL with a host
 * and a known port.
 */
export function hostAndPort(text: string): string | undefined {
  const url = parseUrl(text)
  if (url === undefined) return undefined
  const port = portOf(url)
  return port === undefined ? undefined : `${hostOf(url)}:${port}`
}

/** A relay URL in canonical form without its query; `undefined` when the text is not a relay URL. */
export function relayWithoutQuery(text: string): string | undefined {
  const url = normalizeRelayUrl(text)?.split('?', 1)[0]
  return url === undefined ? undefined : withoutTrailing(url, '/')
}

/**
 * A key for one relay, the same for all its canonical URLs with or without encryption: host, port unless 80 or 443,
 * path and query.
 */
export function relayKey(url: string): string {
  return url.replace(/^wss?:\/\//, '').replace(/^([^/?]*):(?:80|443)(?=[/?]|$)/, '$1')
}

/**
 * Replaces every loopback name in a canonical relay URL with `127.0.0.1`: localhost, 127.0.0.0/8, `[::1]`, the
 * unspecified addresses, and IPv4 addresses mapped to IPv6. Returns other texts unchanged.
 */
export function foldLoopback(url: string): string {
  return url.replace(/^(wss?:\/\/)(\[[0-9a-f:]*\]|[^/?:]*)/, (whole, scheme: string, host: string) => {
    return LOOPBACK.test(host) ? `${scheme}127.0.0.1` : whole
  })
}

/** A key for the host and port of a canonical relay URL, whatever its path. */
export function hostKey(url: string): string {
  return relayKey(url).split(/[/?]/, 1)[0] ?? ''
}

/**
 * The relay that belongs to a git clone URL (GRASP-01): `https://host/<npub>/<identifier>.git` → `wss://host`, and with
 * a base path `https://host/grasp/<npub>/<identifier>.git` → `wss://host/grasp`. `undefined` for other URLs.
 */
export function relayBehindClone(text: string): string | undefined {
  const url = parseUrl(text)
  if (url === undefined || !/^https?:$/.test(url.protocol)) return undefined
  const segments = (url.pathname.endsWith('/') ? url.pathname.slice(0, -1) : url.pathname).split('/')
  const [npub = '', repository = ''] = segments.slice(-2)
  if (!NPUB.test(npub) || !repository.endsWith('.git') || repository === '.git') return undefined
  return normalizeRelayUrl(`${url.protocol.replace('http', 'ws')}//${url.host}${segments.slice(0, -2).join('/')}`)
}

/** Parses a URL written by a stranger; `undefined` when it is invalid, has no host, or is too long to be real. */
export function parseUrl(text: string): URL | undefined {
  if (text.length > MAX_URL_LENGTH) return undefined
  const url = tryUrl(text)
  const host = url === undefined ? '' : hostOf(url)
  return host === '' || host.length > MAX_HOST_LENGTH ? undefined : url
}

/** Does not use `URL.canParse`: on Node 20 it rejects hosts such as `münchen.example` after a few thousand calls. */
function tryUrl(text: string): URL | undefined {
  try {
    return new URL(text)
  } catch {
    return undefined
  }
}

/** The host of a URL in lower case, without a trailing dot: `relay.example.` and `relay.example` are the same host. */
export function hostOf(url: URL): string {
  return withoutTrailing(url.hostname.toLowerCase(), '.')
}

/** The port of a URL, or the default port of its scheme; `undefined` when the scheme has none. */
export function portOf(url: URL): string | undefined {
  return url.port === '' ? DEFAULT_PORTS[url.protocol] : url.port
}

/**
 * Strips every trailing occurrence of the character. A loop, because a regular expression would take quadratic time.
 */
export function withoutTrailing(text: string, character: string): string {
  let end = text.length
  while (end > 0 && text[end - 1] === character) end -= 1
  return text.slice(0, end)
}
