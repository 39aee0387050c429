/*
 * Which git servers may have a repository. Strangers write `clone` URLs: only http and https are dialled, and private
 * addresses only at hosts that the operator named, or allowed.
 */
import type { GitPlace } from '../git/git-access.ts'
import type { Announcement } from '../nostr/announcement.ts'
import { hostAndPort, hostOf, parseUrl } from '../nostr/host.ts'
import { isCloneAt } from '../nostr/service-url.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import { gitUrl, type GitTarget } from './git-target.ts'
import type { Repository } from './find-repositories.ts'

/** A place that is not asked, and why. Its URL has neither user nor query. */
export type Unasked = { readonly url: string; readonly reason: string }

/** Where a repository may be. */
export type Places = {
  /** At the target; undefined if its identifier fits into no URL. */
  readonly target: GitPlace | undefined
  /** `clone` URLs, and the target's own repositories of others who announce it; at most 50. */
  readonly others: readonly GitPlace[]
  readonly unasked: readonly Unasked[]
  /** How many more are not even listed. */
  readonly leftOut: number
}

/** What decides over places. */
export type PlaceRules = {
  readonly gitTarget: GitTarget
  /** `host:port` of every relay that the operator named. */
  readonly named: ReadonlySet<string>
  readonly withUrls: (announcement: Announcement) => Announcement
  /** The repositories that the target should serve, by address. */
  readonly expected: ReadonlySet<string>
}

const MAX_PLACES = 50

/** The rules of a run. `expected`: the repositories that the target should serve. */
export function placeRulesOf(run: ScopedRun, gitTarget: GitTarget, expected: readonly Repository[]): PlaceRules {
  const { target, service, sources } = run.options
  const ends = [target, ...sources, ...(service === undefined ? [] : [service])]
  return {
    gitTarget,
    named: new Set(ends.flatMap((end) => hostAndPort(end) ?? [])),
    withUrls: (announcement) => run.catalog.withUrls(announcement),
    expected: new Set(expected.map(({ address }) => address)),
  }
}

/** Returns where a repository may be, the target first. The `clone` URL of the target itself is not asked twice. */
export function findPlaces({ address, announcements }: Repository, rules: PlaceRules): Places {
  const { gitTarget, expected } = rules
  const own = gitUrl(gitTarget.base, address)
  const siblings = announcements
    .filter((each) => each.address !== address && expected.has(each.address))
    .flatMap((each) => gitUrl(gitTarget.base, each.address) ?? [])
  const others = new Map<string, GitPlace>(siblings.map((url) => [url, { url, isNamed: true }]))
  const unasked = new Map<string, string>()
  for (const text of announcements.flatMap((each) => rules.withUrls(each).clone)) {
    if (isAtTarget(text, gitTarget)) continue
    const { url, refusal } = readUrl(text)
    if (refusal === undefined) others.set(url, others.get(url) ?? placeOf(url, rules))
    else unasked.set(url, refusal)
  }
  return {
    target: own === undefined ? undefined : { url: own, isNamed: true },
    others: [...others.values()].slice(0, MAX_PLACES),
    unasked: [...unasked].slice(0, MAX_PLACES).map(([url, reason]) => ({ url, reason })),
    leftOut: Math.max(0, others.size - MAX_PLACES) + Math.max(0, unasked.size - MAX_PLACES),
  }
}

function isAtTarget(url: string, { base, service }: GitTarget): boolean {
  return url.startsWith(`${base}/`) || isCloneAt(url, service)
}

function placeOf(url: string, { named }: PlaceRules): GitPlace {
  return { url, isNamed: named.has(hostAndPort(url) ?? '') }
}

/** Reads a `clone` URL; `refusal`: why it is not dialled. */
function readUrl(text: string): { readonly url: string; readonly refusal?: string } {
  const url = parseUrl(text)
  if (url === undefined) return { url: text.slice(0, 200), refusal: 'no URL with a host' }
  const shown = `${url.protocol}//${hostOf(url)}${url.port === '' ? '' : `:${url.port}`}${url.pathname}`
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    return { url: shown, refusal: 'only http and https are asked' }
  if (url.username !== '' || url.password !== '') return { url: shown, refusal: 'it names a user' }
  return url.search === '' ? { url: shown } : { url: shown, refusal: 'it has a query' }
}
