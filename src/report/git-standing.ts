import type { GitPlaceReport, GitRepositoryReport, GitVerdict } from './git-report.ts'

/** How a repository stands at the target. */
export type GitStanding = 'in sync' | 'differing' | 'unasked'

/** Whether refs at a server differ from the wanted ones, as far as is known. */
export function isDiffering(verdict: GitVerdict): boolean {
  return !['in sync', 'no state announced', 'unreachable', 'not asked'].includes(verdict)
}

/** How a repository stands at the target. One whose clone could not be proved (`--deep`) was not asked. */
export function standingOf({ places: [target] }: Pick<GitRepositoryReport, 'places'>): GitStanding {
  if (target === undefined || isUnasked(target)) return 'unasked'
  if (isDiffering(target.verdict) || target.clone?.isSound === false) return 'differing'
  return target.clone !== null && target.clone.isSound === null ? 'unasked' : 'in sync'
}

function isUnasked({ verdict }: GitPlaceReport): boolean {
  return verdict === 'unreachable' || verdict === 'not asked'
}
