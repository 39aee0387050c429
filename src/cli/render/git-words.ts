/* The words for what was found of a repository's git data, each on one line and safe to print (rule 7). */
import type { GitPlaceReport, GitRepair, GitRepositoryReport } from '../../report/git-report.ts'
import { foreign } from './foreign.ts'
import { formatCount } from './format-quantity.ts'
import { formatTime, type TimeContext } from './format-time.ts'

const REFS_NAMED = 3
const HOSTS_NAMED = 2
const IDS_NAMED = 2
const SHORT_ID = 8

/** What is wrong at a server: `behind: main, v1.2`, `no repository`, `unreachable: HTTP 502`. */
export function whatIsThere({ verdict, behind, missing, extra, counts, head, reason, clone }: GitPlaceReport): string {
  const parts = [
    ...listRefs('missing', missing, counts.missing),
    ...listRefs('behind', behind, counts.behind),
    ...listRefs('extra', extra, counts.extra),
    ...(verdict === 'HEAD differs' ? [head === null ? 'HEAD is not said' : `HEAD points to ${shortRef(head)}`] : []),
  ]
  const isNamed = verdict === 'missing' || verdict === 'behind' || verdict === 'extra' || verdict === 'HEAD differs'
  const why = reason === null || verdict === 'no repository' ? '' : `: ${foreign(reason)}`
  const found = isNamed ? parts.join(' · ') : `${verdict}${why}`
  if (clone === null || clone.isSound === true) return found
  const cloned = clone.isSound === false ? 'a clone fails' : 'clone not proved'
  return `${verdict === 'in sync' ? '' : `${found} · `}${cloned}: ${foreign(clone.reason ?? '')}`
}

/** Who else has all that is wanted: `github.com, relay.one and 3 more`. */
export function whoHasIt({ places, hasAll, remedy }: GitRepositoryReport): string {
  const own = places.find(({ isTarget }) => isTarget)?.url
  const hosts = [...new Set(hasAll.filter((url) => url !== own).map(hostOf))]
  if (hosts.length === 0) return remedy.type === 'lost' ? 'nowhere whole' : '·'
  const more = hosts.length > HOSTS_NAMED ? ` and ${formatCount(hosts.length - HOSTS_NAMED)} more` : ''
  return hosts.slice(0, HOSTS_NAMED).join(', ') + more
}

/** What to do about a repository. */
export function whatToDo({ remedy, places, repair }: GitRepositoryReport, times: TimeContext): string {
  switch (remedy.type) {
    case 'nothing':
      return '·'
    case 'target fetches':
      return `wait: the target fetches it${remedy.until === null ? '' : ` until ${formatTime(remedy.until, times)}`}`
    case 'repair':
      return repair === null ? 'ngit-sync repair --git' : `${repair.outcome}: see below`
    case 'operator':
      return 'the command below'
    case 'lost':
      // The target still has the tip of a clone that fails.
      return `lost: no ${isCloneBroken(places[0]) ? 'other ' : ''}server has ${nameIds(remedy.ids)}`
    case 'unknown':
      return isAnswering(places[0]) ? 'not known: no server is known to have it' : 'is its git server up?'
    case 'run again':
      return repair === null ? 'run it again' : `${repair.outcome} before that; run it again`
  }
}

/** How a repair ended, and why: `denied: "refs differ from the state event"`. */
export function howItEnded({ outcome, reason, missing }: GitRepair): string {
  const ids = missing.length === 0 ? '' : ` for ${missing.slice(0, REFS_NAMED).map(shortId).join(', ')}`
  const more = missing.length > REFS_NAMED ? ' and more' : ''
  return `${outcome}${ids}${more}${reason === null ? '' : `: ${foreign(reason)}`}`
}

/** `refs/heads/main` → `main`; the tip of a pull request → `PR 3f2a91c0…`. */
function shortRef(ref: string): string {
  const tip = /^refs\/nostr\/(.*)$/.exec(ref)?.[1]
  if (tip !== undefined) return `PR ${shortId(tip)}`
  return foreign(ref.replace(/^refs\/(?:heads|tags)\//, ''))
}

function nameIds(ids: readonly string[]): string {
  const more = ids.length > IDS_NAMED ? ' and more' : ''
  return `${ids.slice(0, IDS_NAMED).map(shortId).join(', ')}${more}`
}

function shortId(id: string): string {
  return `${foreign(id.slice(0, SHORT_ID))}…`
}

function listRefs(word: string, refs: readonly string[], count: number): string[] {
  if (count === 0) return []
  const more = count > REFS_NAMED ? ` and ${formatCount(count - REFS_NAMED)} more` : ''
  return [`${word}: ${refs.slice(0, REFS_NAMED).map(shortRef).join(', ')}${more}`]
}

/** The host of a git URL. */
export function hostOf(url: string): string {
  return foreign(/^https?:\/\/([^/]*)/.exec(url)?.[1] ?? url)
}

function isCloneBroken(place: GitPlaceReport | undefined): boolean {
  return place?.clone?.isSound === false
}

function isAnswering(place: GitPlaceReport | undefined): boolean {
  return place !== undefined && place.verdict !== 'unreachable' && place.verdict !== 'not asked'
}
