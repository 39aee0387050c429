import { tagValues, type NostrEvent } from './event.ts'
import { withoutTrailing } from './host.ts'
import { KIND } from './kinds.ts'
import { encodePublicKey } from './nip19.ts'
import type { Service } from './service-url.ts'

/** The kinds that a GRASP-06 relay hosts without an announcement. */
export const HOSTED_KINDS: readonly number[] = [KIND.pullRequest, KIND.pullRequestUpdate]

const URL_PARTS = /^https?:\/\/([^/?#]+)(\/[^?#]*)$/i
/** `30617:<pubkey>:<d>`; the public key may be upper-case hex, because ngit-grasp accepts it. */
const ANNOUNCEMENT = new RegExp(`^${KIND.announcement}:[0-9a-fA-F]{64}:(.+)$`, 's')
const MAX_URL_LENGTH = 2_048

/**
 * Whether the service hosts this pull request or update by itself (GRASP-06): a `clone` value is
 * `<service>/prs/<npub of its author>/<d>.git`, and an `a` tag names a repository with this `d`, whoever announces it.
 * Compares the URL as text, as strictly as ngit-grasp 3; anything looser would be sent and refused.
 */
export function isHostedPullRequest(event: NostrEvent, service: Service): boolean {
  if (!HOSTED_KINDS.includes(event.kind)) return false
  const identifiers = new Set(tagValues(event, 'a').flatMap((address) => ANNOUNCEMENT.exec(address)?.[1] ?? []))
  if (identifiers.size === 0) return false
  const directory = `${service.path}/prs/${encodePublicKey(event.pubkey)}/`
  const urls = event.tags.flatMap(([name, ...values]) => (name === 'clone' ? values : []))
  return urls.some((url) => identifiers.has(identifierAt(url, service, directory) ?? ''))
}

/** The identifier of the repository that a URL names below a directory of the service. */
function identifierAt(url: string, { host, port }: Service, directory: string): string | undefined {
  if (url.length > MAX_URL_LENGTH) return undefined
  const [, authority = '', path = ''] = URL_PARTS.exec(url) ?? []
  if (authority.toLowerCase() !== (port === undefined ? host : `${host}:${port}`)) return undefined
  const below = withoutTrailing(path, '/')
  if (!below.startsWith(directory) || !below.endsWith('.git')) return undefined
  const name = below.slice(directory.length, -'.git'.length)
  return name.includes('/') ? undefined : decode(name)
}

/** Keeps a `%` that starts no escape, and returns the whole text undecoded when its bytes are not UTF-8. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text.replace(/%(?![0-9a-f]{2})/gi, '%25'))
  } catch {
    return text
  }
}
