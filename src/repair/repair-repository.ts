/*
 * Brings one repository of the target to what is signed: fetches the objects from those who have them, checks them, and
 * pushes exactly the refs of the newest state. A push needs no key, because the signed state authorises it. Nothing is
 * ever pushed elsewhere.
 */
import type { GitAccess, GitPlace, ObjectId, Pushed, Refs, RefUpdate, Workshop } from '../git/git-access.ts'
import { isNgitRelay } from '../relay/software.ts'
import type { GitRepair } from '../report/git-report.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import { confirmRepair } from './confirm-repair.ts'
import type { Places } from './find-places.ts'
import type { Repository } from './find-repositories.ts'
import { gatherObjects, type Gathered } from './gather-objects.ts'
import type { Listings } from './listings.ts'
import { planPush, type PushPlan } from './plan-push.ts'
import type { Patience } from './push-when-made.ts'
import { readWanted, type Wanted } from './read-wanted.ts'

/** A repository whose refs at the target differ from what is signed. */
export type RepairTask = {
  readonly repository: Repository
  readonly wanted: Wanted
  readonly places: Places & { readonly target: GitPlace }
  /** The refs that the target lists. */
  readonly listed: Refs
}

/** What a repair goes by. */
export type RepairContext = {
  readonly run: ScopedRun
  readonly git: GitAccess
  readonly listings: Listings
  readonly patience: Patience
}

const SHOWN = 10
const SHA256_LENGTH = 64

/** Repairs one repository and returns what became of it. Throws LostRelayError when the target does not answer. */
export async function repairRepository(task: RepairTask, context: RepairContext): Promise<GitRepair> {
  const { wanted, listed } = task
  const plan = planPush(wanted, listed, rulesOf(wanted, context.run))
  const obstacle = obstacleOf(plan, wanted)
  if (obstacle !== undefined) return giveUp(obstacle)
  if (plan.state.length + plan.tips.length === 0) return { outcome: 'already', reason: null, missing: [] }
  if (context.run.options.dryRun) return { outcome: 'planned', reason: describePlan(plan), missing: [] }
  const workshop = await context.git.openWorkshop(task.repository.address)
  try {
    return await carryOut(plan, { ...task, ...context, workshop })
  } finally {
    await workshop.close()
  }
}

function rulesOf({ state }: Wanted, { target, options }: ScopedRun) {
  const isExact = !isNgitRelay(target.profile)
  // A dry run has not sent the state, which the target would hold back.
  const isAuthorised = state !== null && (state.isHeldBack || (options.dryRun && !state.isServed))
  return { takesState: isAuthorised || !isExact, isExact, mayPrune: options.git?.pruneRefs === true }
}

/** Why nothing can be pushed. */
function obstacleOf({ stale }: PushPlan, { refs, tips }: Wanted): string | undefined {
  if ([...(refs?.values() ?? []), ...tips.values()].some((id) => id.length === SHA256_LENGTH))
    return 'its state names SHA-256 objects, and GRASP servers keep SHA-1 repositories'
  if (stale.length === 0) return undefined
  const names = stale.slice(0, SHOWN).join(', ')
  return `the target has ${stale.length} refs that its state does not name (${names}): --prune-refs deletes them`
}

type Work = RepairTask & RepairContext & { readonly workshop: Workshop }

async function carryOut(plan: PushPlan, work: Work): Promise<GitRepair> {
  const state = await gather(plan.state, work)
  if (state.missing.length > 0) return lacking(state)
  const tips = await gather(plan.tips, work)
  const ready = plan.tips.filter(({ to }) => to === null || !tips.missing.includes(to))
  if (plan.state.length + ready.length === 0) return lacking(tips)
  if (!(await isStillNewest(work))) return giveUp('a newer state came while its data was fetched: run again')
  const pushed = await pushAll(plan.state, ready, work)
  if (pushed !== undefined) return pushed
  const doubt = await confirmRepair({ ...work, target: work.places.target }, [...plan.state, ...ready])
  if (doubt !== undefined) return giveUp(doubt)
  return tips.missing.length > 0 ? lacking(tips) : { outcome: 'released', reason: null, missing: [] }
}

async function gather(updates: readonly RefUpdate[], { listings, workshop, places }: Work): Promise<Gathered> {
  const ids = new Set(updates.flatMap(({ to }): ObjectId[] => (to === null ? [] : [to])))
  const gathered = await gatherObjects(listings, { workshop, places: places.others }, [...ids])
  if (gathered.missing.length === 0 || gathered.isTooLarge) return gathered
  // The target may have the rest behind other refs.
  const { missing } = await gatherObjects(listings, { workshop, places: [places.target] }, gathered.missing)
  return { ...gathered, missing }
}

async function isStillNewest({ repository, wanted, run }: Work): Promise<boolean> {
  const again = (await readWanted([repository], run)).get(repository)
  return again?.state?.event.id === wanted.state?.event.id
}

/** Pushes the state, then the tips. Returns what became of it if something was not taken. */
async function pushAll(
  state: readonly RefUpdate[],
  tips: readonly RefUpdate[],
  work: Work,
): Promise<GitRepair | undefined> {
  for (const updates of [state, tips]) {
    const pushed = updates.length === 0 ? DONE : await push(updates, work)
    if (pushed.type === 'pushed' || (await areListed(updates, work))) continue
    if (pushed.type === 'failed') return giveUp(pushed.reason)
    return { outcome: 'denied', reason: pushed.reason, missing: [] }
  }
  return undefined
}

function push(updates: readonly RefUpdate[], { workshop, places, listed, patience, run }: Work): Promise<Pushed> {
  const send = (): Promise<Pushed> => workshop.push(places.target, updates)
  return listed.size === 0 ? patience.pushWhenMade(send, run.world) : send()
}

/** Whether refs are as wanted: a target that fetches them itself at the same moment takes no push of them. */
async function areListed(updates: readonly RefUpdate[], { git, places }: Work): Promise<boolean> {
  const listing = await git.listRefs(places.target)
  return listing.type === 'refs' && updates.every(({ ref, to }) => (listing.refs.get(ref) ?? null) === to)
}

const DONE: Pushed = { type: 'pushed' }

function lacking({ missing, reasons, isTooLarge }: Gathered): GitRepair {
  const reason = reasons.length === 0 ? null : reasons.slice(0, SHOWN).join('; ')
  return { outcome: isTooLarge ? 'too large' : 'no data', reason, missing: missing.slice(0, SHOWN) }
}

/** A repair that came to no end, and why. */
export function giveUp(reason: string): GitRepair {
  return { outcome: 'given up', reason, missing: [] }
}

function describePlan({ state, tips }: PushPlan): string {
  const count = (updates: readonly RefUpdate[], what: string): string[] =>
    updates.length === 0 ? [] : [`${updates.length} ${what}${updates.length === 1 ? '' : 's'}`]
  const parts = [
    ...count(
      state.filter(({ to }) => to !== null),
      'ref',
    ),
    ...count(
      state.filter(({ to }) => to === null),
      'deletion',
    ),
    ...count(tips, 'pull request'),
  ]
  return `would push ${parts.join(', ')}`
}
