import { UsageError } from '../errors.ts'
import { parseAddress } from '../nostr/address.ts'
import { parseUrl, withoutTrailing } from '../nostr/host.ts'
import { encodePublicKey } from '../nostr/nip19.ts'
import { readService, type Service } from '../nostr/service-url.ts'
import type { Peer } from '../relay/peer.ts'
import { isGrasp } from '../relay/software.ts'
import type { RunOptions } from '../report/run-options.ts'

/** The git side of a target that is a GRASP relay. */
export type GitTarget = {
  /** Where git repositories lie as the target is dialled: `http://localhost:7443`, with the base path if any. */
  readonly base: string
  /** How announcements name the target. */
  readonly service: Service
}

/** Returns the git side of the target. Throws UsageError when it is a file or no GRASP relay: neither has any. */
export function gitTargetOf(
  { endpoint, profile }: Pick<Peer, 'endpoint' | 'profile'>,
  { service: given }: Pick<RunOptions, 'service'>,
): GitTarget {
  if (endpoint.kind === 'file') throw new UsageError([`--git wants a GRASP relay as target: ${endpoint.url} is a file`])
  if (!isGrasp(profile)) {
    const why = profile.documentError ?? 'its NIP-11 document names no GRASP (supported_grasps)'
    throw new UsageError([`--git wants a GRASP relay as target, and ${endpoint.url} serves no git data: ${why}`])
  }
  const service = readService(given ?? endpoint.url)
  if (service === undefined) throw new UsageError(['--git wants the public URL of the target: give --service'])
  return { base: gitBase(endpoint.url), service }
}

/** The URL of a repository `30617:<public key>:<identifier>`; undefined if its identifier fits into no URL. */
export function gitUrl(base: string, repository: string): string | undefined {
  const address = parseAddress(repository)
  if (address === undefined || /\p{Surrogate}/u.test(address.d)) return undefined
  return `${base}/${encodePublicKey(address.pubkey)}/${encodeURIComponent(address.d)}.git`
}

/** `wss://host/grasp` → `https://host/grasp`. */
function gitBase(relay: string): string {
  const url = parseUrl(relay)
  if (url === undefined) return relay
  return `${url.protocol === 'ws:' ? 'http:' : 'https:'}//${url.host}${withoutTrailing(url.pathname, '/')}`
}
