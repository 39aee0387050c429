import type { Report, RepositoryReport } from '../report/report.ts'
import type { AffectedRow } from '../store/affected.ts'
import type { TargetState } from '../store/target-state.ts'
import type { UnixSeconds } from '../time.ts'

/** Strangers may name as many repositories as they like. */
const MAX_REPOSITORIES = 10_000

/**
 * Lists the repositories whose events the target lacked when the run that began at `since` asked, or still lacks, worst
 * first.
 */
export function listRepositories(
  { affected, waits }: Pick<TargetState, 'affected' | 'waits'>,
  since: UnixSeconds,
): Pick<Report, 'repositories' | 'repositoriesLeftOut'> {
  const rows = affected.repositories(since, MAX_REPOSITORIES)
  const all = rows.length < MAX_REPOSITORIES ? rows.length : affected.countRepositories(since)
  return {
    repositories: rows.map((row) => toReport(row, waits)),
    repositoriesLeftOut: all - rows.length,
  }
}

/** Events held back since an earlier run were not missing when this one asked. */
function toReport(
  { repository, ready, sent, waiting, refused, pending, newlyPending }: AffectedRow,
  waits: TargetState['waits'],
): RepositoryReport {
  const missing = ready + sent + waiting + refused + newlyPending
  const name = repository === null ? null : waits.nameAt(repository)
  return { repository, name, missing, sent, waiting, refused, pending }
}
