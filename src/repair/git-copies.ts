import type { Listing } from '../git/git-access.ts'
import { hostAndPort } from '../nostr/host.ts'
import type { GitCopies, GitCopiesOfRepository } from '../report/copies-report.ts'
import { compareRefs } from './compare-refs.ts'
import type { ComparedRepository } from './compare-repository.ts'

type Asked = { readonly url: string; readonly listing: Listing }

const MAX_LISTED = 10_000
/** At least as many servers as a repository can name count the same. */
const MAX_BINS = 50

/**
 * Counts the servers that show every ref of the newest signed state; undefined without a state. Several URLs at one host
 * are one server. One that could not be asked may have it; a URL that is never asked, as one for ssh, proves nothing.
 */
export function countServers(compared: ComparedRepository): GitCopiesOfRepository | undefined {
  const { wanted, places, own, others, report } = compared
  if (wanted.refs === null || wanted.refs.size === 0) return undefined
  const [{ clone = null } = {}] = report.places
  // Its refs are there, but not all that is behind them (`--deep`).
  const isBroken = clone?.isSound === false
  const target = places.target === undefined || isBroken ? [] : [{ url: places.target.url, listing: own }]
  const asked: readonly Asked[] = [...target, ...others.map(({ place, listing }) => ({ url: place.url, listing }))]
  const isWhole = ({ listing }: Asked): boolean => {
    const { behind, missing } = compareRefs(wanted, listing, { tips: false })
    return listing.type === 'refs' && behind.length + missing.length === 0
  }
  const at = oneOfEachHost(asked.filter(isWhole))
  const silent = asked.filter(({ listing: { type } }) => type === 'unreachable' || type === 'not asked')
  const hosts = new Set(at.map(hostOfPlace))
  const unasked = oneOfEachHost(silent).filter((url) => !hosts.has(hostOfPlace(url))).length
  return { repository: report.repository, name: report.name, copies: at.length, unasked, at }
}

/** Sums up over repositories, and keeps those with fewer copies than wanted. */
export class GitCopiesTally {
  readonly #wanted: number
  readonly #bins: number[] = []
  readonly #scarce: GitCopiesOfRepository[] = []
  #repositories = 0
  #below = 0
  #undecided = 0

  constructor(wanted: number) {
    this.#wanted = wanted
  }

  /** Takes one repository that was compared. */
  add(compared: ComparedRepository): void {
    const counted = countServers(compared)
    if (counted === undefined) return
    const { copies, unasked } = counted
    const bin = Math.min(copies, MAX_BINS)
    this.#repositories += 1
    this.#bins[bin] = (this.#bins[bin] ?? 0) + 1
    if (copies >= this.#wanted) return
    if (copies + unasked < this.#wanted) this.#below += 1
    else this.#undecided += 1
    if (this.#scarce.length < MAX_LISTED) this.#scarce.push(counted)
  }

  /** The report, the fewest copies first. */
  summarize(): GitCopies {
    const list = this.#scarce.toSorted((a, b) => a.copies - b.copies || a.unasked - b.unasked)
    return {
      wanted: this.#wanted,
      repositories: this.#repositories,
      below: this.#below,
      undecided: this.#undecided,
      histogram: Array.from(this.#bins, (repositories = 0, copies) => ({ copies, repositories })),
      list,
      leftOut: this.#below + this.#undecided - list.length,
    }
  }
}

function oneOfEachHost(places: readonly Asked[]): string[] {
  const byHost = new Map(places.map(({ url }) => [hostOfPlace(url), url]))
  return [...byHost.values()]
}

function hostOfPlace(url: string): string {
  return hostAndPort(url) ?? url
}
