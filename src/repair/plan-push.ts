import type { Refs, RefUpdate } from '../git/git-access.ts'
import type { WantedRefs } from './wanted-refs.ts'

/** What the target takes, and what the operator allows. */
export type PushRules = {
  /** Whether branches and tags may be pushed at all: a state that is stored already allows no push to ngit-grasp. */
  readonly takesState: boolean
  /**
   * Whether it takes only a push after which its branches and tags equal the state (ngit-grasp). Else (ngit-relay) it
   * takes any branches and tags of the state but those that `isWithheld`, and no deletion.
   */
  readonly isExact: boolean
  /** Whether branches and tags that the state does not name may be deleted (`--prune-refs`). */
  readonly mayPrune: boolean
}

/** What must be pushed so that the target's refs are as signed. */
export type PushPlan = {
  /** Branches and tags: one atomic push. */
  readonly state: readonly RefUpdate[]
  /** `refs/nostr/<event id>` of pull requests. */
  readonly tips: readonly RefUpdate[]
  /** Branches and tags that would have to be deleted first, and may not. */
  readonly stale: readonly string[]
}

const BRANCH_OR_TAG = /^refs\/(?:heads|tags)\//

/** Plans the push that makes the listed refs of the target those that are wanted. */
export function planPush(wanted: WantedRefs, listed: Refs, { takesState, isExact, mayPrune }: PushRules): PushPlan {
  const tips = differing(wanted.tips, listed)
  if (!takesState || wanted.refs === null) return { state: [], tips, stale: [] }
  const expected = wanted.refs
  const state = differing(expected, listed)
  if (!isExact) return { state: state.filter(({ ref }) => !isWithheld(ref)), tips, stale: [] }
  const extra = [...listed.keys()].filter((ref) => BRANCH_OR_TAG.test(ref) && !expected.has(ref))
  if (extra.length === 0) return { state, tips, stale: [] }
  if (!mayPrune) return { state: [], tips, stale: extra }
  return { state: [...state, ...extra.map((ref) => ({ ref, to: null }))], tips, stale: [] }
}

/** Whether ngit-relay refuses every push of this branch, signed or not: `refs/heads/pr/…`. It may fetch it itself. */
export function isWithheld(ref: string): boolean {
  return ref.startsWith('refs/heads/pr/')
}

function differing(wanted: Refs, listed: Refs): RefUpdate[] {
  return [...wanted].filter(([ref, id]) => listed.get(ref) !== id).map(([ref, to]) => ({ ref, to }))
}
