/*
 * Selects events to send from those that were fetched. Scope needs all announcements; deletions and newest versions
 * need all sources and the target. So selection runs once, after the last page, over the spool in pieces. An event that
 * the target serves in an equal or newer version is never sent (rule 6).
 */
import { parkedWait } from '../checkpoint/next-try.ts'
import { addressOf } from '../nostr/address.ts'
import type { NostrEvent } from '../nostr/event.ts'
import { referencesOf } from '../nostr/references.ts'
import { takeInAside } from '../receive/take-in-aside.ts'
import { workAhead } from '../relay/side-by-side.ts'
import type { Run } from '../run/run.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import type { SpooledEvent } from '../store/spooled-event.ts'
import { askForWithdrawals, leavesOlder } from '../withdraw/withdrawals.ts'
import { askForVersions, findHeld, findVersionsAside } from './find-held.ts'
import { freeAddresses } from './free-addresses.ts'
import { judge, findDeletedAuthors } from './judge.ts'
import { findLiving } from './living-versions.ts'
import { createStaging } from './publish-order.ts'
import { noteArrivals } from './reopening.ts'
import { takeOut } from './take-out.ts'

const PIECE = 1_000
/** While one is judged, relays are asked about so many, and about fewer if their events are large. */
const PIECES_AHEAD = 3
const AHEAD_BYTES = 2 * 1024 * 1024

/** Makes ready, in the order of publishing, every spooled event that must be sent, and takes out the unwanted. */
export async function selectEvents(run: ScopedRun): Promise<void> {
  const { state } = run.world
  const staging = createStaging(run.catalog.members())
  const candidates = state.spool.inState('candidate', PIECE)
  const ahead = { count: PIECES_AHEAD, hasRoom: isWithinMemory }
  for await (const [piece, shown] of workAhead(candidates, ahead, (piece) => ask(piece, run))) {
    // The piece was read ahead: some of it may have been selected or taken out since then.
    const left = piece.filter(({ event }) => state.spool.isIn('candidate', event.id))
    await selectAsked(left, shown, { staging, run })
  }
  for (const piece of state.spool.inState('parked', PIECE)) await selectPiece(piece, staging, run)
  if (state.spool.count('outside') > 0) await selectParents(staging, run)
  for (const piece of state.spool.inState('outside', PIECE)) await passOver(piece, staging, run)
  state.transaction(() => run.fate.orderByParents())
}

/** Does the same for some parked events only. */
export async function selectParked(parked: readonly SpooledEvent[], run: ScopedRun): Promise<void> {
  await selectPiece(parked, createStaging(run.catalog.members()), run)
}

function isWithinMemory(pieces: readonly (readonly SpooledEvent[])[]): boolean {
  return pieces.flat().reduce((sum, { size }) => sum + size, 0) < AHEAD_BYTES
}

type Staging = ReturnType<typeof createStaging>

type Judged = { readonly spooled: SpooledEvent; readonly why: string | undefined }

async function selectPiece(
  piece: readonly SpooledEvent[],
  staging: Staging,
  run: ScopedRun,
): Promise<readonly SpooledEvent[]> {
  return selectAsked(piece, await ask(piece, run), { staging, run })
}

/** Asks all relays for what the authors of a piece took back, and the target for its versions, which are returned. */
async function ask(piece: readonly SpooledEvent[], run: ScopedRun): Promise<ReadonlyMap<string, NostrEvent>> {
  const events = piece.map(({ event }) => event)
  const [shown] = await Promise.all([askForVersions(piece, run), askForWithdrawals(events, run)])
  return shown
}

async function selectAsked(
  piece: readonly SpooledEvent[],
  shown: ReadonlyMap<string, NostrEvent>,
  { staging, run }: { readonly staging: Staging; readonly run: ScopedRun },
): Promise<readonly SpooledEvent[]> {
  const { fate } = run
  const { state } = run.world
  const events = piece.map(({ event }) => event)
  const versions = findVersionsAside(piece, shown, run)
  const { served, remembered } = versions
  const asked = new Set(events.map(({ id }) => id))
  const others = [...served.values(), ...remembered.values()].filter(({ id }) => !asked.has(id))
  await askForWithdrawals(others, run)
  const freed = await freeAddresses([...served.values()], run)
  const held = await findHeld(piece, { ...versions, freed }, run)
  const authors = await findDeletedAuthors(events, run)
  const judged = piece.map((spooled): Judged => ({
    spooled,
    why: held.get(spooled.event.id) ?? judge(spooled, authors, run),
  }))
  const gone = judged.filter(({ spooled: { event }, why }) => {
    return isWithdrawal(why) ? leavesOlder(event, run) : why === 'held' && freed.has(event.id)
  })
  const wanted = judged.flatMap(({ spooled, why }) => (why === undefined ? [spooled] : []))
  const mustWait = (spooled: SpooledEvent): boolean =>
    spooled.state === 'parked' && parkedWait(spooled, { now: run.startedAt }) !== undefined
  const sendable = wanted.filter((spooled) => !mustWait(spooled))
  state.transaction(() => {
    for (const { spooled, why } of judged) if (why !== undefined) takeOut(spooled, why, run)
    noteArrivals(
      judged.flatMap(({ spooled, why }) => (why === 'held' && spooled.state === 'parked' ? [spooled] : [])),
      run,
    )
    for (const spooled of wanted) {
      const repository = run.catalog.repositoryOf(spooled.event)
      if (mustWait(spooled)) fate.assign(spooled, repository)
      else fate.makeReady(spooled, staging.stageOf(spooled.event), repository)
    }
    for (const id of versions.older) state.run.markDiffering(id)
  })
  const older = await selectOlder(
    gone.map(({ spooled }) => spooled),
    staging,
    run,
  )
  return [...sendable, ...older]
}

function isWithdrawal(why: string | undefined): boolean {
  return why === 'deleted' || why === 'expired'
}

/** Selects, for each version that was taken back, the newest that was not. Returns those that will be sent. */
async function selectOlder(
  gone: readonly SpooledEvent[],
  staging: Staging,
  run: ScopedRun,
): Promise<readonly SpooledEvent[]> {
  const addressed = gone.filter(({ event }) => addressOf(event) !== undefined)
  if (addressed.length === 0) return []
  const layers = new Map(addressed.map(({ event, layer }) => [addressOf(event), layer]))
  const found = await findLiving(
    addressed.map(({ event }) => event),
    run,
  )
  const taken = run.world.state.transaction(() =>
    found.flatMap(({ event, source }) => {
      return takeInAside(source, layers.get(addressOf(event)) ?? 'repositories', event, run) ?? []
    }),
  )
  return taken.length === 0 ? [] : selectPiece(taken, staging, run)
}

/** Selects missing parents of what will be sent, and their parents in turn, even outside the window of a backfill. */
async function selectParents(staging: Staging, run: ScopedRun): Promise<void> {
  for (const piece of run.world.state.spool.inState('ready', PIECE)) {
    for (let parents = parentsOutside(piece, run); parents.length > 0;) {
      const found = await selectPiece(parents, staging, run)
      for (const { event } of found) noteParent(event, run)
      parents = parentsOutside(found, run)
    }
  }
}

function noteParent({ id }: NostrEvent, { ledger, target }: Run): void {
  const reason = 'outside the window, but events in it need it'
  ledger.problem({ what: 'parent', where: target.endpoint.url, reason, example: id })
}

function parentsOutside(piece: readonly SpooledEvent[], run: Run): SpooledEvent[] {
  const { state } = run.world
  const found = new Map<string, SpooledEvent>()
  for (const { event } of piece) {
    const { ids, addresses } = referencesOf(event)
    const parents = [
      ...ids.map((id) => state.spool.find(id)),
      ...addresses.map((address) => state.spool.findVersion(address)),
    ]
    for (const parent of parents) if (parent?.state === 'outside') found.set(parent.event.id, parent)
  }
  return [...found.values()]
}

/** Drops events outside the window. If one was taken back, an older version may lie inside. */
async function passOver(piece: readonly SpooledEvent[], staging: Staging, run: ScopedRun): Promise<void> {
  const { state } = run.world
  const addressed = piece.filter(({ event }) => addressOf(event) !== undefined)
  await askForWithdrawals(
    addressed.map(({ event }) => event),
    run,
  )
  state.transaction(() => {
    for (const spooled of piece) run.fate.forget(spooled)
  })
  await selectOlder(
    addressed.filter(({ event }) => leavesOlder(event, run)),
    staging,
    run,
  )
}
