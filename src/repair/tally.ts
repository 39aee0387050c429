import type { GitReport, GitRepositoryReport, GitVerdict } from '../report/git-report.ts'
import { standingOf, type GitStanding } from '../report/git-standing.ts'
import type { Stop } from '../run/stop.ts'

const MAX_LISTED = 10_000
/** Repositories in which all is well are listed only up to here: their number says enough. */
const MAX_WELL = 1_000

/** Counts repositories, and keeps those that the report lists. */
export class Tally {
  readonly #counts: Record<GitStanding, number> = { 'in sync': 0, differing: 0, unasked: 0 }
  readonly #troubled: GitRepositoryReport[] = []
  readonly #well: GitRepositoryReport[] = []
  readonly #verdicts: Partial<Record<GitVerdict, number>> = {}
  readonly #isDeep: boolean
  #lost = 0
  #cloned = 0
  #left = 0

  /** `isDeep`: repositories are cloned, too. */
  constructor({ isDeep }: { readonly isDeep: boolean }) {
    this.#isDeep = isDeep
  }

  /** Takes one repository. */
  add(report: GitRepositoryReport): void {
    const standing = standingOf(report)
    this.#counts[standing] += 1
    const [target] = report.places
    if (target !== undefined) this.#verdicts[target.verdict] = (this.#verdicts[target.verdict] ?? 0) + 1
    if (typeof target?.clone?.isSound === 'boolean') this.#cloned += 1
    if (report.remedy.type === 'lost') this.#lost += 1
    if (report.remedy.type === 'run again') this.#left += 1
    const [list, most] = standing === 'in sync' ? [this.#well, MAX_WELL] : [this.#troubled, MAX_LISTED]
    if (list.length < most) list.push(report)
  }

  get repositories(): number {
    return this.#counts['in sync'] + this.#counts.differing + this.#counts.unasked
  }

  /** The report, worst repositories first. `stop`: why the run looked at no more; undefined if it looked at all. */
  summarize(
    costs: Pick<GitReport, 'requests' | 'bytes' | 'milliseconds' | 'repairs' | 'copies'>,
    stop: Pick<Stop, 'reason'> | undefined,
  ): GitReport {
    const list = [...this.#troubled.sort(byTrouble), ...this.#well].slice(0, MAX_LISTED)
    return {
      repositories: this.repositories,
      stopped: stop === undefined ? null : { reason: stop.reason, repositories: this.#left },
      inSync: this.#counts['in sync'],
      differing: this.#counts.differing,
      unasked: this.#counts.unasked,
      verdicts: this.#verdicts,
      cloned: this.#isDeep ? this.#cloned : null,
      lost: this.#lost,
      ...costs,
      list,
      leftOut: this.repositories - list.length,
    }
  }
}

const BY_TROUBLE: readonly GitRepositoryReport['remedy']['type'][] = [
  'lost',
  'operator',
  'unknown',
  'run again',
  'repair',
  'target fetches',
  'nothing',
]

function byTrouble(a: GitRepositoryReport, b: GitRepositoryReport): number {
  return BY_TROUBLE.indexOf(a.remedy.type) - BY_TROUBLE.indexOf(b.remedy.type)
}
