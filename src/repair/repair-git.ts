import type { GitAccess } from '../git/git-access.ts'
import { reasonOf, SyncError } from '../errors.ts'
import { parseAddress } from '../nostr/address.ts'
import { sideBySide } from '../relay/side-by-side.ts'
import type { GitRepair } from '../report/git-report.ts'
import { isDiffering } from '../report/git-standing.ts'
import { stopOfTime } from '../run/stop.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import { compareRefs } from './compare-refs.ts'
import { findPlaces, placeRulesOf, type PlaceRules } from './find-places.ts'
import { findRepositories, type Repository } from './find-repositories.ts'
import { gitTargetOf } from './git-target.ts'
import { Listings } from './listings.ts'
import { Patience } from './push-when-made.ts'
import { readWanted, type Wanted } from './read-wanted.ts'
import { giveUp, repairRepository } from './repair-repository.ts'

type Repairing = {
  readonly run: ScopedRun
  readonly git: GitAccess
  readonly rules: PlaceRules
  readonly listings: Listings
  readonly patience: Patience
}

const BATCH = 100
const AT_ONCE = 2

/**
 * Repairs every repository in scope whose refs at the target differ, but for those that an earlier call tried in vain,
 * and notes in `run.repairs` what became of each. Returns how many were released. Throws UsageError when the target is
 * no GRASP relay, LostRelayError when it does not answer.
 */
export async function repairGit(run: ScopedRun): Promise<number> {
  const { git, tell } = run.world
  if (git === undefined) throw new SyncError('repair git data: no access to git servers was given')
  const gitTarget = gitTargetOf(run.target, run.options)
  const repositories = findRepositories(run, gitTarget)
  const context = {
    run,
    git,
    rules: placeRulesOf(run, gitTarget, repositories),
    listings: new Listings(git),
    patience: new Patience(),
  }
  const open = repositories.filter(({ address }) => (run.repairs.get(address)?.outcome ?? 'released') === 'released')
  tell?.({ type: 'repairing', total: open.length })
  let [released, repaired] = [0, 0]
  const failures: unknown[] = []
  const repair = async (repository: Repository, wanted: Wanted | undefined): Promise<void> => {
    const done = await repairOne(repository, wanted, context).catch((error: unknown) => {
      failures.push(error)
      return giveUp(`the run was stopped while it was repaired: ${reasonOf(error)}`)
    })
    repaired += 1
    if (done === undefined) return
    if (done.outcome === 'released') released += 1
    run.repairs.set(repository.address, done)
    tell?.({ type: 'repaired', repository: repository.address, ...done, repaired, total: open.length })
  }
  for (const batch of batchesOf(open)) {
    const wanted = await readWanted(batch, run)
    await sideBySide(
      groupByIdentifier(batch),
      () => AT_ONCE,
      async (group) => {
        // One after the other: what is pushed to one may complete the next.
        for (const repository of group) {
          // What runs beside a failure comes to its own end first. What was not begun is listed as not looked at.
          if (failures.length > 0 || stopOfTime(run.world) !== undefined) return
          await repair(repository, wanted.get(repository))
        }
      },
    )
    const [failure] = failures
    if (failure !== undefined) throw failure instanceof Error ? failure : new SyncError(reasonOf(failure))
  }
  return released
}

/** Returns undefined if nothing has to be repaired. */
async function repairOne(
  repository: Repository,
  wanted: Wanted | undefined,
  { rules, ...context }: Repairing,
): Promise<GitRepair | undefined> {
  const { run, git } = context
  const places = findPlaces(repository, rules)
  const { target } = places
  if (wanted === undefined || target === undefined) return undefined
  if (isUsedUp(run)) return giveUp('--max-git-bytes was used up before its turn')
  const listing = await git.listRefs(target)
  const { verdict } = compareRefs(wanted, listing, { tips: true })
  if (!isDiffering(verdict)) return undefined
  const listed = listing.type === 'refs' ? listing.refs : new Map<string, string>()
  return repairRepository({ repository, wanted, places: { ...places, target }, listed }, context)
}

function isUsedUp({ world: { git }, options }: ScopedRun): boolean {
  return options.git !== undefined && (git?.costs().bytes ?? 0) >= options.git.maxBytes
}

function groupByIdentifier(repositories: readonly Repository[]): Iterable<readonly Repository[]> {
  const groups = new Map<string, Repository[]>()
  for (const repository of repositories) {
    const d = parseAddress(repository.address)?.d ?? ''
    groups.set(d, [...(groups.get(d) ?? []), repository])
  }
  return groups.values()
}

function* batchesOf(repositories: readonly Repository[]): Generator<readonly Repository[]> {
  for (let from = 0; from < repositories.length; from += BATCH) yield repositories.slice(from, from + BATCH)
}
