import type { Listing, Refs } from '../git/git-access.ts'
import type { GitVerdict } from '../report/git-report.ts'
import type { WantedRefs } from './wanted-refs.ts'

/** How a server's refs differ from the wanted ones: full names of all. */
export type Comparison = {
  readonly verdict: GitVerdict
  /** They point elsewhere. */
  readonly behind: readonly string[]
  readonly missing: readonly string[]
  /** Branches and tags that the state does not name. */
  readonly extra: readonly string[]
  /** The ref that HEAD stands for there; null if it was not said. */
  readonly head: string | null
  /** Whether it says another HEAD than the state. */
  readonly isHeadOther: boolean
  readonly reason: string | null
}

/** What nothing is known of. */
const NOTHING = { behind: [], missing: [], extra: [], head: null, isHeadOther: false }
const BRANCH_OR_TAG = /^refs\/(?:heads|tags)\//

/**
 * Compares what a server lists with what is wanted. `tips`: whether it must have those of the pull requests too, as a
 * GRASP server must; a surplus of them is no difference.
 */
export function compareRefs(wanted: WantedRefs, listing: Listing, { tips }: { readonly tips: boolean }): Comparison {
  if (listing.type !== 'refs') return { ...NOTHING, verdict: listing.type, reason: listing.reason }
  const expected: Refs = new Map([...(wanted.refs ?? []), ...(tips ? wanted.tips : [])])
  const names = [...expected.keys()]
  const missing = names.filter((ref) => !listing.refs.has(ref))
  const behind = names.filter((ref) => listing.refs.has(ref) && listing.refs.get(ref) !== expected.get(ref))
  const isExtra = (ref: string): boolean => BRANCH_OR_TAG.test(ref) && !expected.has(ref)
  const extra = wanted.refs === null ? [] : [...listing.refs.keys()].filter(isExtra)
  const isHeadOther = wanted.head !== null && expected.has(wanted.head) && listing.head !== wanted.head
  const found = { behind, missing, extra, head: listing.head, isHeadOther }
  return { ...found, verdict: judge(found, wanted, listing.refs.size), reason: null }
}

type Found = Pick<Comparison, 'behind' | 'missing' | 'extra' | 'isHeadOther'>

/** Of several differences, the worst: what is not there, what is old, and then what needs no object. */
function judge({ behind, missing, extra, isHeadOther }: Found, wanted: WantedRefs, listed: number): GitVerdict {
  if (missing.length > 0) return listed === 0 ? 'empty' : 'missing'
  if (behind.length > 0) return 'behind'
  if (wanted.refs === null) return 'no state announced'
  if (isHeadOther) return 'HEAD differs'
  return extra.length > 0 ? 'extra' : 'in sync'
}
