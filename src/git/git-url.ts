import { parseUrl } from '../nostr/host.ts'
import { classifyAddress, classifyHost } from '../relay/socket/public-address.ts'
import type { GitPlace } from './git-access.ts'

/** A repository at a git server, ready to be dialled: http or https, without credentials, query and trailing slash. */
export type GitUrl = {
  /** As the URL standard writes it, so that nobody reads its host in another way. */
  readonly href: string
  readonly host: string
  readonly hostname: string
  readonly port: number
  readonly isSecure: boolean
  /** Whether a socket for it may go to this address. */
  readonly isAllowed: (address: string) => boolean
}

const MAX_LENGTH = 2048
const ONLY_HTTP = 'only http and https are asked'
/** `file:` and the like may have no host. */
const OTHER_SCHEME = /^(?!https?:)[a-z][a-z\d+.-]*:/i

/** Reads the URL of a place; a text says why it is not dialled. */
export function readGitUrl({ url, isNamed }: GitPlace, allowPrivate: boolean): GitUrl | string {
  if (url.length > MAX_LENGTH) return `its URL is longer than ${MAX_LENGTH} characters`
  const parsed = parseUrl(url)
  if (parsed === undefined) return OTHER_SCHEME.test(url) ? ONLY_HTTP : 'it is not a URL'
  const isSecure = parsed.protocol === 'https:'
  if (!isSecure && parsed.protocol !== 'http:') return ONLY_HTTP
  if (parsed.username !== '' || parsed.password !== '') return 'its URL has a user or password'
  if (parsed.search !== '') return 'its URL has a query'
  const hostname = parsed.hostname.replace(/\.$/, '')
  const refusal = isNamed ? undefined : refuseHost(hostname, allowPrivate)
  if (refusal !== undefined) return refusal
  const host = `${hostname}${parsed.port === '' ? '' : `:${parsed.port}`}`
  return {
    href: `${parsed.protocol}//${host}${withoutSlashes(parsed.pathname)}`,
    host,
    hostname,
    port: parsed.port === '' ? (isSecure ? 443 : 80) : Number(parsed.port),
    isSecure,
    isAllowed: (address) => isNamed || isAllowedClass(classifyAddress(address), allowPrivate),
  }
}

function withoutSlashes(path: string): string {
  return path.endsWith('/') ? withoutSlashes(path.slice(0, -1)) : path
}

function refuseHost(hostname: string, allowPrivate: boolean): string | undefined {
  const found = classifyHost(hostname)
  if (isAllowedClass(found, allowPrivate)) return undefined
  if (found === 'hidden') return 'it is in a hidden network'
  return found === 'private' ? 'its host is private' : 'its host is reserved'
}

function isAllowedClass(found: ReturnType<typeof classifyAddress>, allowPrivate: boolean): boolean {
  return found === 'public' || (allowPrivate && found === 'private')
}
