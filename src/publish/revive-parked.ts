/*
 * Parked events that depend on others: freed when the target serves a parent, refused when no parent can come any more.
 */
import { addressOf, parseAddress } from '../nostr/address.ts'
import { KIND } from '../nostr/kinds.ts'
import { parentsOf } from '../nostr/references.ts'
import { findServed, findVersions } from '../relay/holdings.ts'
import { noteArrivals } from '../select/reopening.ts'
import { selectParked } from '../select/select.ts'
import type { SpooledEvent } from '../store/spooled-event.ts'
import type { UnixSeconds } from '../time.ts'
import { reviveLost } from './lost-announcements.ts'
import { findSpooled, hasComingParent, refuseWithParents } from './orphans.ts'
import type { PublishingRun } from './publishing-run.ts'

const PIECE = 250

/**
 * Makes ready the events that waited for a parent that the target now serves, and announcements that the target has
 * lost. Each parent counts once a run, so this ends. Refuses events whose parents were all refused. Returns how many
 * became ready. Throws LostRelayError.
 */
export async function reviveWaiting(run: PublishingRun): Promise<number> {
  const { spool } = run.world.state
  const served = new Set<string>()
  let count = reviveLost(run)
  for (const piece of spool.inState('parked', PIECE)) {
    const freed = await freeServed(piece, served, run)
    for (const spooled of piece) if (!freed.includes(spooled)) blockChildren(spooled, served, run)
    count += freed.length
  }
  for (const anchor of served) {
    run.released.add(anchor)
    run.blocked.delete(anchor)
  }
  refuseWithParents(run)
  if (count > 0) run.world.state.transaction(() => run.fate.orderByParents())
  return count
}

/**
 * Reopens events that were refused or given up without a parent, when the target serves one (each parent once a run),
 * and events that another version superseded, when that is gone. A given-up event that the target serves is settled,
 * not sent. Returns how many can be sent now. Throws LostRelayError.
 */
export async function reconsiderRefused(run: PublishingRun): Promise<number> {
  const { target, fate, startedAt: now, reopened } = run
  const { state } = run.world
  let count = 0
  for (const piece of state.spool.inState('refused', PIECE)) {
    const givenUp = piece.filter(({ outcome }) => outcome === 'given-up').map(({ event }) => event.id)
    const arrived = await findServed(target, givenUp)
    settleArrived(piece, arrived, run)
    const absent = piece.filter(({ event, isOrphan }) => isOrphan && !arrived.has(event.id))
    const hopeful = absent.filter((orphan) => !dependsOnRefused(orphan, run))
    const served = await findServedAnchors(hopeful, reopened, run)
    const bare = await findBare(piece, run)
    const isFreed = ({ event }: SpooledEvent): boolean => parentsOf(event).some((anchor) => served.has(anchor))
    const freed = piece.filter((spooled) => {
      if (bare.has(spooled)) return true
      return (isDue(spooled, now) && !arrived.has(spooled.event.id)) || (hopeful.includes(spooled) && isFreed(spooled))
    })
    const waiting = hopeful.filter((spooled) => !freed.includes(spooled) && waitsAgain(spooled, run))
    state.transaction(() => {
      for (const spooled of freed) fate.reopen(spooled)
      for (const spooled of waiting) fate.reopen(spooled, { isOrphan: true })
    })
    const opened = [...freed, ...waiting].flatMap(({ event }) => state.spool.find(event.id) ?? [])
    if (opened.length > 0) await selectParked(opened, run)
    for (const anchor of served) reopened.add(anchor)
    count += freed.length
  }
  if (count > 0) state.transaction(() => fate.orderByParents())
  return count
}

/** Returns superseded events whose successor the target no longer serves; none while it may hide something. */
async function findBare(piece: readonly SpooledEvent[], { target }: PublishingRun): Promise<ReadonlySet<SpooledEvent>> {
  const superseded = piece.filter(({ outcome }) => outcome === 'superseded')
  let mayHide = false
  const addresses = superseded.flatMap(({ event }) => addressOf(event) ?? [])
  const versions = await findVersions(target, addresses, () => (mayHide = true))
  if (mayHide) return new Set()
  const isBare = ({ event }: SpooledEvent): boolean => {
    const version = versions.get(addressOf(event) ?? '')
    return version === undefined || version.created_at < event.created_at
  }
  return new Set(superseded.filter(isBare))
}

/** Whether something that reopens the event has come since it was refused. */
function isDue({ retryAt }: SpooledEvent, now: UnixSeconds): boolean {
  return retryAt !== undefined && retryAt < now
}

/** Whether a parent that had ended, or was nowhere, may come by now. */
function waitsAgain({ event, outcome }: SpooledEvent, { world: { state } }: PublishingRun): boolean {
  return outcome !== 'given-up' && hasComingParent(event, state)
}

/** Settles given-up events that the target serves. */
function settleArrived(piece: readonly SpooledEvent[], ids: ReadonlySet<string>, run: PublishingRun): void {
  const { fate } = run
  const { state } = run.world
  const arrived = piece.filter(({ event }) => ids.has(event.id))
  state.transaction(() => {
    for (const spooled of arrived) fate.settle(spooled, 'accepted')
    noteArrivals(arrived, run)
  })
}

/** Refuses events that the target takes only at a time more than `forgetSeconds` away. */
export function refuseEndless(forgetSeconds: number, { world: { state }, fate, startedAt: now }: PublishingRun): void {
  const refuse = (spooled: SpooledEvent): void => {
    const { reason = '', retryAt } = spooled
    fate.refuse(spooled, 'refused', { reason: `${reason} (not before second ${retryAt}: longer than --forget-parked)` })
  }
  for (const piece of state.spool.inState('parked', PIECE)) {
    const endless = piece.filter(({ retryAt = now }) => retryAt - now > forgetSeconds)
    state.transaction(() => endless.forEach(refuse))
  }
}

/** Gives up events that were parked longer than `forgetSeconds`; they stay in the reports. */
export function giveUpOld(forgetSeconds: number, { world: { state }, fate, startedAt: now }: PublishingRun): void {
  const giveUp = (spooled: SpooledEvent): void => {
    const { reason = 'waited too long', isOrphan } = spooled
    fate.refuse(spooled, 'given-up', { reason, isOrphan })
  }
  for (const piece of state.spool.inState('parked', PIECE)) {
    const old = piece.filter(({ parkedAt = now }) => now - parkedAt > forgetSeconds)
    state.transaction(() => old.forEach(giveUp))
  }
}

/**
 * Makes ready and returns the orphans with a parent that the target serves, or that may be admitted now. Adds such
 * parents to `served`.
 */
async function freeServed(
  piece: readonly SpooledEvent[],
  served: Set<string>,
  run: PublishingRun,
): Promise<readonly SpooledEvent[]> {
  const orphans = piece.filter(({ isOrphan }) => isOrphan)
  const found = await findServedAnchors(orphans, run.released, run)
  const paired = orphans.filter((orphan) => mayBeAdmitted(orphan, run))
  for (const { event } of paired) run.released.add(event.id)
  const freed = orphans.filter(
    (orphan) => paired.includes(orphan) || parentsOf(orphan.event).some((anchor) => found.has(anchor)),
  )
  run.world.state.transaction(() => {
    for (const spooled of freed) run.fate.makeReady(spooled, run.stageOf(spooled.event))
  })
  for (const anchor of found) served.add(anchor)
  return freed
}

/**
 * Whether an announcement that may admit the event came, or the event is the state of an announcement that waits for
 * git data: only the state allows it to be pushed.
 */
function mayBeAdmitted(
  { event, retryAt }: SpooledEvent,
  { world: { state }, released, startedAt: now }: PublishingRun,
): boolean {
  if (released.has(event.id)) return false
  if (retryAt !== undefined && retryAt < now) return true
  if (event.kind !== KIND.state) return false
  return parentsOf(event).some((anchor) => state.spool.findVersion(anchor)?.outcome === 'pending')
}

/** Blocks the children of an event that waits for its parent or for git data: they would only be refused as well. */
function blockChildren(spooled: SpooledEvent, served: ReadonlySet<string>, { blocked, released }: PublishingRun): void {
  const { event, isOrphan, outcome, reason = '' } = spooled
  if (!isOrphan && outcome !== 'pending') return
  blocked.set(addressOf(event) ?? event.id, reason)
  const missing = isOrphan ? parentsOf(event).filter((anchor) => !served.has(anchor) && !released.has(anchor)) : []
  for (const anchor of missing) blocked.set(anchor, reason)
}

/** Returns the parents of these events that the target serves, except those in `past`. */
async function findServedAnchors(
  orphans: readonly SpooledEvent[],
  past: ReadonlySet<string>,
  run: PublishingRun,
): Promise<Set<string>> {
  const anchors = new Set(orphans.flatMap(({ event }) => parentsOf(event)))
  const asked = [...anchors].filter((anchor) => !past.has(anchor))
  const isAddress = (anchor: string): boolean => parseAddress(anchor) !== undefined
  // A parent that a full second hides is waited for.
  const versions = await findVersions(run.target, asked.filter(isAddress), () => undefined)
  const ids = await findServed(
    run.target,
    asked.filter((anchor) => !isAddress(anchor)),
  )
  return new Set([...versions.keys(), ...ids].filter((anchor) => anchors.has(anchor)))
}

/** Whether every parent is remembered as refused: then asking for them is pointless. */
function dependsOnRefused({ event }: SpooledEvent, { world: { state } }: PublishingRun): boolean {
  return parentsOf(event).every((anchor) => {
    const parent = findSpooled(anchor, state)
    return parent?.state === 'refused' && parent.outcome !== 'given-up'
  })
}
