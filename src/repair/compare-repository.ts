import type { CloneProof, GitAccess, Listing, ObjectId } from '../git/git-access.ts'
import { isNgitRelay } from '../relay/software.ts'
import type { GitPlaceReport, GitRepositoryReport } from '../report/git-report.ts'
import { isDiffering } from '../report/git-standing.ts'
import { isInPart } from '../scope/choose-part.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import { chooseRemedy, lackingIds } from './choose-remedy.ts'
import { compareRefs, type Comparison } from './compare-refs.ts'
import { describePlace } from './describe-place.ts'
import { findWhole, holdersOf, isEveryoneAsked } from './find-holders.ts'
import { findPlaces, type PlaceRules, type Places } from './find-places.ts'
import type { Repository } from './find-repositories.ts'
import type { Listed, Listings } from './listings.ts'
import { probeHidden, type Hidden } from './probe-hidden.ts'
import type { Wanted } from './read-wanted.ts'
import type { WantedRefs } from './wanted-refs.ts'

/** What comparing goes by. */
export type CompareContext = {
  readonly run: ScopedRun
  readonly git: GitAccess
  readonly rules: PlaceRules
  readonly listings: Listings
}

/** What servers list of one repository. */
type Compared = {
  readonly repository: Repository
  readonly wanted: Wanted
  readonly places: Places
  /** What the target's own server lists. */
  readonly own: Listing
  readonly atTarget: Comparison
  /** What the other servers list, in the order of `places.others`. */
  readonly others: readonly Listed[]
}

/** A repository that was compared, and what the report says of it. */
export type ComparedRepository = Compared & { readonly report: GitRepositoryReport }

/** What was found out besides. */
type Evidence = {
  readonly proof: CloneProof | undefined
  readonly isBroken: boolean
  /** What the target needs. */
  readonly lacking: ReadonlySet<ObjectId>
  /** The servers that it may come from. */
  readonly mayHave: readonly Listed[]
  readonly hidden: Hidden
}

const NOTHING: ReadonlySet<ObjectId> = new Set()
const NOTHING_WANTED: WantedRefs = { refs: null, head: null, tips: new Map() }
const NO_URL: Listing = { type: 'not asked', reason: 'its identifier fits into no URL' }

/** Compares one repository at the target and everywhere else where it may be. */
export async function compareRepository(
  repository: Repository,
  wanted: Wanted,
  context: CompareContext,
): Promise<ComparedRepository> {
  const { rules, listings } = context
  const places = findPlaces(repository, rules)
  const [own, ...listed] = await Promise.all([
    places.target === undefined ? NO_URL : listings.list(places.target),
    ...places.others.map(async (place) => ({ place, listing: await listings.list(place) })),
  ])
  const atTarget = compareRefs(wanted, own, { tips: true })
  const compared = { repository, wanted, places, own, atTarget, others: listed }
  const proof = await proveInPart(compared, context)
  const isBroken = proof?.type === 'broken'
  const lacking = isBroken || isDiffering(atTarget.verdict) ? lackingIds(wanted, atTarget, isBroken) : NOTHING
  // The target may have below other refs what it lacks, but no whole copy of what is broken.
  const mayHave = isBroken || places.target === undefined ? listed : [...listed, { place: places.target, listing: own }]
  const hidden = await probeHidden(mayHave, lacking, listings)
  return { ...compared, report: describe(compared, { proof, isBroken, lacking, mayHave, hidden }, context) }
}

/** What the report says of a repository that was not looked at, because the run was stopped. Asks nobody. */
export function describeUnlooked(repository: Repository, { run, rules }: CompareContext): GitRepositoryReport {
  const { address } = repository
  const unlooked = compareRefs(NOTHING_WANTED, { type: 'not asked', reason: 'the run was stopped' }, { tips: true })
  return {
    repository: address,
    name: run.world.state.waits.nameAt(address),
    state: null,
    places: [describePlace(findPlaces(repository, rules).target?.url ?? '', unlooked, { isTarget: true })],
    hasAll: [],
    remedy: { type: 'run again' },
    repair: run.repairs.get(address) ?? null,
  }
}

/** Clones the repository if the run is to prove it (`--deep`) and the target has anything to clone. */
async function proveInPart(
  { repository, places, own }: Pick<Compared, 'repository' | 'places' | 'own'>,
  { run, git }: CompareContext,
): Promise<CloneProof | undefined> {
  const part = run.options.git?.deep
  if (part === undefined || places.target === undefined || !isInPart(repository.address, part)) return undefined
  return own.type === 'refs' && own.refs.size > 0 ? git.proveClone(places.target) : undefined
}

function describe(
  compared: Compared,
  { proof, isBroken, lacking, mayHave, hidden }: Evidence,
  { run }: CompareContext,
): GitRepositoryReport {
  const { repository, wanted, places, atTarget, others } = compared
  const { address } = repository
  return {
    repository: address,
    name: run.world.state.waits.nameAt(address),
    state: describeState(wanted),
    places: [
      describePlace(places.target?.url ?? '', atTarget, { isTarget: true, proof }),
      ...others.map(({ place, listing }) => describeOther(place.url, listing, wanted)),
      ...places.unasked.map(({ url, reason }) => describeOther(url, { type: 'not asked', reason }, wanted)),
    ],
    hasAll: findWhole(mayHave, wanted, hidden.at),
    remedy: chooseRemedy({
      repository: address,
      wanted,
      comparison: atTarget,
      isBroken,
      holders: holdersOf(mayHave, lacking, hidden.at),
      absent: hidden.absent,
      isEveryoneAsked: isEveryoneAsked(places, others),
      isAnnounced: run.catalog.isHeld('repositories', address, false),
      isNgitRelay: isNgitRelay(run.target.profile),
      now: run.world.clock(),
    }),
    repair: run.repairs.get(address) ?? null,
  }
}

/** Only GRASP servers have the tips of pull requests as refs, and others are not worse for it. */
function describeOther(url: string, listing: Listing, wanted: Wanted): GitPlaceReport {
  return describePlace(url, compareRefs(wanted, listing, { tips: false }), { isTarget: false })
}

function describeState({ state }: Wanted): GitRepositoryReport['state'] {
  if (state === null) return null
  const { event, isHeldBack } = state
  return { id: event.id, createdAt: event.created_at, isHeldBack }
}
