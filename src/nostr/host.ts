const DEFAULT_PORTS: Readonly<Record<string, string>> = {
  'ws:': '80',
  'http:': '80',
  'wss:': '443',
  'https:': '443',
  'ssh:': '22',
  'git:': '9418',
}

const GRASP_PATH = /^\/npub1[02-9ac-hj-np-z]{58}\/[^/]+\.git\/?$/

/** A relay URL in its one normal form: lower-case host, no default port, no user, no trailing slash, no fragment. `undefined` when it is not `ws://` or `wss://`. */
export function normalizeRelayUrl(text: string): string | undefined {
  const url = parseUrl(text)
  if (url === undefined || (url.protocol !== 'ws:' && url.protocol !== 'wss:')) return undefined
  const port = url.port === '' ? '' : `:${url.port}`
  return `${url.protocol}//${hostOf(url)}${port}${url.pathname.replace(/\/+$/, '')}${url.search}`
}

/** Host and port of a URL as `host:port`, the port always given; `undefined` when the text is not a URL with a host and a known port. */
export function hostAndPort(text: string): string | undefined {
  const url = parseUrl(text)
  if (url === undefined) return undefined
  const port = url.port === '' ? DEFAULT_PORTS[url.protocol] : url.port
  return port === undefined ? undefined : `${hostOf(url)}:${port}`
}

/** A relay URL in its normal form without its query; `undefined` when it is not one. */
export function relayWithoutQuery(text: string): string | undefined {
  return normalizeRelayUrl(text)?.replace(/\?.*$/s, '').replace(/\/+$/, '')
}

/** The same for every normalised URL of one relay, with or without encryption: host, port unless it is a usual one, and path. */
export function relayKey(url: string): string {
  return url.replace(/^wss?:\/\//, '').replace(/^([^/?]*):(?:80|443)(?=[/?]|$)/, '$1')
}

/** The same for every normalised relay URL of one host and port, whatever the path. */
export function hostKey(url: string): string {
  return relayKey(url).replace(/[/?].*$/s, '')
}

/** The relay beside a git repository (GRASP-01): `https://host/<npub>/<identifier>.git` → `wss://host`. `undefined` for other URLs. */
export function relayBehindClone(text: string): string | undefined {
  const url = parseUrl(text)
  if (url === undefined || !/^https?:$/.test(url.protocol) || !GRASP_PATH.test(url.pathname)) return undefined
  return normalizeRelayUrl(`${url.protocol.replace('http', 'ws')}//${url.host}`)
}

function parseUrl(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  return hostOf(url) === '' ? undefined : url
}

// `relay.example.` names the same host as `relay.example`: a dot at the end is the root of the DNS.
function hostOf(url: URL): string {
  return url.hostname.toLowerCase().replace(/\.+$/, '')
}
