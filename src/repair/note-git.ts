import { isGrasp } from '../relay/software.ts'
import { standingOf } from '../report/git-standing.ts'
import { hostOfPullRequests } from '../scope/scope-choice.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'

/** Says what git data could not be looked at, and what was not meant to be: events alone make no repository whole. */
export function noteGit({ options: { command, git: asked }, git, target, ledger, choice }: ScopedRun): void {
  const where = target.endpoint.url
  for (const { places, remedy } of git?.list ?? []) {
    // `stopped` counts these.
    if (remedy.type === 'run again') continue
    const own = places.find(({ isTarget }) => isTarget)
    const reason = own?.clone?.reason ?? own?.reason ?? 'not asked'
    if (standingOf({ places }) === 'unasked') ledger.problem({ what: 'git', where, reason, example: null })
  }
  const isWhole = command === 'catchup' || command === 'check'
  if (asked === undefined && isWhole && target.endpoint.kind === 'relay' && isGrasp(target.profile))
    ledger.note('Git data was not looked at: `ngit-sync check --git` shows which repositories can be cloned.')
  if (asked !== undefined && hostOfPullRequests(choice.scope, target.profile) !== undefined)
    ledger.note(
      'Git data below /prs/ was not looked at: pull requests that the target hosts without a repository (GRASP-06).',
    )
}
