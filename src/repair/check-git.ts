/*
 * Compares what git servers serve with what the signed states and pull requests say, repository by repository. The
 * target's own refs decide over the exit code; `clone` URLs only show who has the data. A run that is stopped lists what
 * it did not look at: it must never look complete.
 */
import { SyncError } from '../errors.ts'
import { sideBySide } from '../relay/side-by-side.ts'
import type { GitRepair, GitReport } from '../report/git-report.ts'
import { stopAfter, stopOfTime, type Stop } from '../run/stop.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import {
  compareRepository,
  describeUnlooked,
  type CompareContext,
  type ComparedRepository,
} from './compare-repository.ts'
import { placeRulesOf } from './find-places.ts'
import { GitCopiesTally } from './git-copies.ts'
import { findRepositories, type Repository } from './find-repositories.ts'
import { gitTargetOf } from './git-target.ts'
import { Listings } from './listings.ts'
import { readWanted, type Wanted } from './read-wanted.ts'
import { Tally } from './tally.ts'

const BATCH = 100
/** Hosts are asked less at once than this: `GitAccess` has its own limit for each. */
const AT_ONCE = 32

/**
 * Compares every repository in scope that the target should serve, and notes it in `run.git`; none if the run was
 * stopped before. Returns why it was stopped, before or meanwhile. Throws UsageError when the target is no GRASP relay.
 */
export async function checkGit(run: ScopedRun, stopped: Stop | undefined): Promise<Stop | undefined> {
  const { world, options } = run
  const startedMs = world.nowMs()
  const context = contextOf(run)
  const left = new Set(context.repositories)
  const tally = new Tally({ isDeep: options.git?.deep !== undefined })
  const copies = options.copies === undefined ? undefined : new GitCopiesTally(options.copies)
  const take = (compared: ComparedRepository): void => {
    const { repository, report, atTarget } = compared
    // What ran beside a failure may end behind the report.
    if (!left.delete(repository)) return
    tally.add(report)
    copies?.add(compared)
    const [{ address }, total] = [repository, context.repositories.length]
    world.tell?.({ type: 'git', repository: address, verdict: atTarget.verdict, compared: tally.repositories, total })
  }
  const stop = stopped ?? (await compareUntilStopped(context, take))
  for (const repository of left) tally.add(describeUnlooked(repository, context))
  const costs = {
    ...context.git.costs(),
    copies: copies?.summarize() ?? null,
    repairs: countRepairs(run.repairs.values()),
    milliseconds: Math.round(world.nowMs() - startedMs),
  }
  run.git = tally.summarize(costs, stop)
  return stop
}

type Checking = CompareContext & { readonly repositories: readonly Repository[] }

function contextOf(run: ScopedRun): Checking {
  const { git } = run.world
  if (git === undefined) throw new SyncError('look at git data: no access to git servers was given')
  const gitTarget = gitTargetOf(run.target, run.options)
  const repositories = findRepositories(run, gitTarget)
  return { run, git, rules: placeRulesOf(run, gitTarget, repositories), listings: new Listings(git), repositories }
}

/**
 * Compares repositories, some at a time, and hands each on. Reads what is wanted of a hundred at once: memory holds no
 * more. Returns why it was stopped, if it was.
 */
async function compareUntilStopped(
  context: Checking,
  take: (compared: ComparedRepository) => void,
): Promise<Stop | undefined> {
  const { run, repositories } = context
  let stop: Stop | undefined
  const compare = async ([repository, wanted]: readonly [Repository, Wanted]): Promise<void> => {
    stop ??= stopOfTime(run.world)
    if (stop === undefined) take(await compareRepository(repository, wanted, context))
  }
  try {
    for (const batch of batchesOf(repositories)) {
      stop ??= stopOfTime(run.world)
      if (stop === undefined) await sideBySide(await readWanted(batch, run), () => AT_ONCE, compare)
    }
    return stop
  } catch (error) {
    stop = stopAfter(error, run.world)
    if (stop === undefined) throw error
    return stop
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
