/*
 * Compares what git servers serve with what the signed states and pull requests say, repository by repository. The
 * target's own refs decide over the exit code; `clone` URLs only show who has the data.
 */
import { SyncError } from '../errors.ts'
import { sideBySide } from '../relay/side-by-side.ts'
import type { GitRepair, GitReport } from '../report/git-report.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import { compareRepository, type ComparedRepository, type CompareContext } from './compare-repository.ts'
import { placeRulesOf } from './find-places.ts'
import { GitCopiesTally } from './git-copies.ts'
import { findRepositories, type Repository } from './find-repositories.ts'
import { gitTargetOf } from './git-target.ts'
import { Listings } from './listings.ts'
import { readWanted } from './read-wanted.ts'
import { Tally } from './tally.ts'

const BATCH = 100
/** Hosts are asked less at once than this: `GitAccess` has its own limit for each. */
const AT_ONCE = 32

/**
 * Compares every repository in scope that the target should serve. Throws UsageError when the target is no GRASP relay,
 * and LostRelayError when it does not answer.
 */
export async function checkGit(run: ScopedRun): Promise<GitReport> {
  const { world } = run
  const startedMs = world.nowMs()
  const tally = new Tally({ isDeep: run.options.git?.deep !== undefined })
  const { copies: wanted } = run.options
  const copies = wanted === undefined ? undefined : new GitCopiesTally(wanted)
  await compareEach(run, (compared, { total }) => {
    const { report, atTarget } = compared
    const { verdict } = atTarget
    tally.add(report)
    copies?.add(compared)
    world.tell?.({ type: 'git', repository: report.repository, verdict, compared: tally.repositories, total })
    return Promise.resolve()
  })
  const costs = world.git?.costs() ?? { requests: 0, bytes: 0 }
  return tally.summarize({
    ...costs,
    copies: copies?.summarize() ?? null,
    repairs: countRepairs(run.repairs.values()),
    milliseconds: Math.round(world.nowMs() - startedMs),
  })
}

/**
 * Compares the repositories in scope, some at a time, and hands each on. Reads what is wanted of a hundred at once:
 * memory holds no more.
 */
async function compareEach(
  run: ScopedRun,
  take: (compared: ComparedRepository, context: CompareContext) => Promise<void>,
): Promise<void> {
  const { git } = run.world
  if (git === undefined) throw new SyncError('look at git data: no access to git servers was given')
  const gitTarget = gitTargetOf(run.target, run.options)
  const repositories = findRepositories(run, gitTarget)
  const rules = placeRulesOf(run, gitTarget, repositories)
  const context = { run, git, rules, listings: new Listings(git), total: repositories.length }
  for (const batch of batchesOf(repositories)) {
    const wanted = await readWanted(batch, run)
    await sideBySide(
      wanted,
      () => AT_ONCE,
      async ([repository, ofIt]) => {
        await take(await compareRepository(repository, ofIt, context), context)
      },
    )
  }
}

function countRepairs(repairs: Iterable<GitRepair>): GitReport['repairs'] {
  const counts: Partial<Record<GitRepair['outcome'], number>> = {}
  for (const { outcome } of repairs) counts[outcome] = (counts[outcome] ?? 0) + 1
  return counts
}

function* batchesOf(repositories: readonly Repository[]): Generator<readonly Repository[]> {
  for (let from = 0; from < repositories.length; from += BATCH) yield repositories.slice(from, from + BATCH)
}
