import type { GitAccess, GitPlace, RefUpdate } from '../git/git-access.ts'
import { findServed, findVersions } from '../relay/holdings.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import type { Repository } from './find-repositories.ts'
import { giveTime } from './give-time.ts'
import type { Wanted } from './read-wanted.ts'

/** A repository to which was pushed. */
export type PushedRepository = {
  readonly repository: Repository
  readonly wanted: Wanted
  readonly target: GitPlace
  readonly run: ScopedRun
  readonly git: GitAccess
}

/**
 * Asks the target whether a push did what it was for: it serves the announcement and the state, and its refs and HEAD
 * are as signed. Gives it some 25 seconds for that. Returns what is not so; undefined if all is.
 */
export async function confirmRepair(
  task: PushedRepository,
  updates: readonly RefUpdate[],
): Promise<string | undefined> {
  const ask = async (): Promise<string | undefined> => (await doubtRefs(task, updates)) ?? (await doubtEvents(task))
  return giveTime(ask, (doubt) => doubt === undefined, task.run.world)
}

async function doubtRefs(
  { git, target, wanted }: PushedRepository,
  updates: readonly RefUpdate[],
): Promise<string | undefined> {
  const listing = await git.listRefs(target)
  if (listing.type !== 'refs') return `it was pushed, and then the target's refs could not be read: ${listing.reason}`
  const differing = updates.filter(({ ref, to }) => (listing.refs.get(ref) ?? null) !== to)
  if (differing.length > 0) return `it was pushed, but the target does not list ${differing[0]?.ref ?? ''} as pushed`
  if (wanted.head === null || wanted.refs?.has(wanted.head) !== true || listing.head === wanted.head) return undefined
  return `it was pushed, but HEAD is ${listing.head ?? 'unknown'} at the target, not ${wanted.head}`
}

async function doubtEvents({ repository, wanted, run: { target } }: PushedRepository): Promise<string | undefined> {
  const versions = await findVersions(target, [repository.address], () => undefined)
  if (!versions.has(repository.address)) return 'it was pushed, but the target does not serve its announcement'
  if (wanted.state === null) return undefined
  const { id } = wanted.state.event
  return (await findServed(target, [id])).has(id) ? undefined : 'it was pushed, but the target does not serve its state'
}
