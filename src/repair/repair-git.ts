import { parseAddress } from '../nostr/address.ts'
import { sideBySide } from '../relay/side-by-side.ts'
import type { GitRepair } from '../report/git-report.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import { compareRefs, isDiffering } from './compare-refs.ts'
import { findPlaces, placeRulesOf, type PlaceRules } from './find-places.ts'
import { findRepositories, type Repository } from './find-repositories.ts'
import { gitTargetOf } from './git-target.ts'
import { readWanted, type Wanted } from './read-wanted.ts'
import { repairRepository, type RepairContext } from './repair-repository.ts'

/** What became of repositories, by address `30617:…`. */
export type Repairs = Map<string, GitRepair>

const BATCH = 100
const AT_ONCE = 2

/**
 * Repairs every repository in scope whose refs at the target differ, but for those that were tried in vain before, and
 * notes what became of each. Returns how many were released. Throws UsageError when the target is no GRASP relay,
 * LostRelayError when it does not answer.
 */
export async function repairGit(run: ScopedRun, repairs: Repairs): Promise<number> {
  const { git } = run.world
  if (git === undefined) return 0
  const gitTarget = gitTargetOf(run.target, run.options)
  const repositories = findRepositories(run, gitTarget)
  const rules = placeRulesOf(run, gitTarget, repositories)
  const isOpen = ({ address }: Repository): boolean => (repairs.get(address)?.outcome ?? 'released') === 'released'
  const open = repositories.filter(isOpen)
  let released = 0
  for (let from = 0; from < open.length; from += BATCH) {
    const batch = open.slice(from, from + BATCH)
    const wanted = await readWanted(batch, run)
    await sideBySide(groupByIdentifier(batch), () => AT_ONCE, async (group) => {
      // One after the other: what is pushed to one may complete the next.
      for (const repository of group) {
        const repair = await repairOne(repository, wanted.get(repository), { run, git, rules })
        if (repair === undefined) continue
        repairs.set(repository.address, repair)
        if (repair.outcome === 'released') released += 1
        run.world.tell?.({ type: 'repaired', repository: repository.address, ...repair })
      }
    })
  }
  return released
}

/** Returns undefined if nothing has to be repaired. */
async function repairOne(
  repository: Repository,
  wanted: Wanted | undefined,
  { run, git, rules }: RepairContext & { readonly rules: PlaceRules },
): Promise<GitRepair | undefined> {
  const places = findPlaces(repository, rules)
  const { target } = places
  if (wanted === undefined || target === undefined) return undefined
  const ended = endOf(run)
  if (ended !== undefined) return { outcome: 'given up', reason: ended, missing: [] }
  const listing = await git.listRefs(target)
  const { verdict } = compareRefs(wanted, listing, { tips: true })
  if (!isDiffering(verdict)) return undefined
  const listed = listing.type === 'refs' ? listing.refs : new Map<string, string>()
  return repairRepository({ repository, wanted, places: { ...places, target }, listed }, { run, git })
}

/** Why nothing more is begun. */
function endOf({ world: { git, signal, deadline }, options }: ScopedRun): string | undefined {
  if (signal.aborted || deadline.aborted) return 'its turn did not come before the end of the run'
  const bytes = git?.costs().bytes ?? 0
  return options.git !== undefined && bytes >= options.git.maxBytes ? '--max-git-bytes was used up before its turn' : undefined
}

function groupByIdentifier(repositories: readonly Repository[]): Repository[][] {
  const groups = new Map<string, Repository[]>()
  for (const repository of repositories) {
    const d = parseAddress(repository.address)?.d ?? ''
    groups.set(d, [...(groups.get(d) ?? []), repository])
  }
  return [...groups.values()]
}
