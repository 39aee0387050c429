/*
 * From what was fetched to what is sent. Selection is over everything the run knows: scope needs all announcements,
 * deletions and newest versions need all sources and the target. So it runs once, after the last page, over the spool,
 * in pieces. What the target serves in an equal or newer version is never sent (rule 6).
 */
import { parkedWait } from '../checkpoint/next-try.ts'
import { askedTarget } from '../run/ask-sources.ts'
import type { Run } from '../run/run.ts'
import { freeAddresses } from './free-addresses.ts'
import { countHeld } from '../receive/take-in.ts'
import { findLiving } from './living-versions.ts'
import { addressOf, isNewerVersion } from '../nostr/address.ts'
import { readDeletion } from '../nostr/deletion.ts'
import type { NostrEvent } from '../nostr/event.ts'
import { KIND } from '../nostr/kinds.ts'
import { referencesOf } from '../nostr/references.ts'
import { findAuthors, findServed, findVersions } from '../relay/holdings.ts'
import { noteArrivals } from './reopening.ts'
import { outOfScope } from '../scope/scope.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import { createStaging } from './publish-order.ts'
import type { SpooledEvent } from '../store/spooled-event.ts'
import { takeInAside } from '../receive/take-in-aside.ts'
import { askForWithdrawals, leavesOlder, withdrawnBecause } from '../withdraw/withdrawals.ts'

const PIECE = 250

/**
 * Marks every spooled event that must be sent as ready, in the order of publishing, and takes out what is not wanted.
 */
export async function selectEvents(run: ScopedRun): Promise<void> {
  const { state } = run.world
  const staging = createStaging(run.knowledge.members())
  for (const piece of state.spool.inState('candidate', PIECE)) await selectPiece(piece, staging, run)
  for (const piece of state.spool.inState('parked', PIECE)) await selectPiece(piece, staging, run)
  if (state.spool.count('outside') > 0) await selectParents(staging, run)
  for (const piece of state.spool.inState('outside', PIECE)) await passOver(piece, staging, run)
  state.transaction(() => run.fate.orderByParents())
}

/** The same for some parked events alone. */
export async function selectParked(parked: readonly SpooledEvent[], run: ScopedRun): Promise<void> {
  await selectPiece(parked, createStaging(run.knowledge.members()), run)
}

type Staging = ReturnType<typeof createStaging>
type Judged = { readonly spooled: SpooledEvent; readonly why: string | undefined }

async function selectPiece(
  piece: readonly SpooledEvent[],
  staging: Staging,
  run: ScopedRun,
): Promise<readonly SpooledEvent[]> {
  const { fate } = run
  const { state } = run.world
  const versions = await findVersionsAside(piece, run)
  const { served, remembered } = versions
  await askForWithdrawals([...piece.map(({ event }) => event), ...served.values(), ...remembered.values()], run)
  const freed = await freeAddresses([...served.values()], run)
  const held = await findHeld(piece, { ...versions, freed }, run)
  const authors = await findDeletedAuthors(piece, run)
  const judged = piece.map((spooled): Judged => ({
    spooled,
    why: held.get(spooled.event.id) ?? judge(spooled, authors, run),
  }))
  const gone = judged.filter(({ spooled: { event }, why }) => {
    return isWithdrawal(why) ? leavesOlder(event, run) : why === 'held' && freed.has(event.id)
  })
  const wanted = judged.flatMap(({ spooled, why }) => (why === undefined ? [spooled] : []))
  const sendable = wanted.filter(
    (spooled) => spooled.state !== 'parked' || parkedWait(spooled, { now: run.startedAt }) === undefined,
  )
  state.transaction(() => {
    for (const { spooled, why } of judged) if (why !== undefined) takeOut(spooled, why, run)
    noteArrivals(
      judged.flatMap(({ spooled, why }) => (why === 'held' && spooled.state === 'parked' ? [spooled] : [])),
      run,
    )
    for (const spooled of sendable) fate.makeReady(spooled, staging.stageOf(spooled.event))
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

/** In place of what was taken back, the newest version that was not. Returns those that are sent. */
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

/** Why an event is not sent, by what is known here. Parked events were in scope when they were parked. */
function judge(spooled: SpooledEvent, authors: ReadonlyMap<string, string>, run: ScopedRun): string | undefined {
  const { event } = spooled
  const withdrawn = withdrawnBecause(event, run)
  if (withdrawn !== undefined) return withdrawn
  if (spooled.state === 'parked') return undefined
  const outside = outOfScope(event, run.choice.scope, run.knowledge.members())
  if (outside !== undefined) return outside
  if (event.kind === KIND.deletion && deletesOnlyForOthers(event, authors)) return 'deletion of others'
  return undefined
}

/** Who signed what the deletions of a piece name: known from this run or from the spool, or served by the target. */
async function findDeletedAuthors(piece: readonly SpooledEvent[], run: Run): Promise<ReadonlyMap<string, string>> {
  const { state } = run.world
  const deletions = piece.filter(({ event }) => event.kind === KIND.deletion)
  const ids = [...new Set(deletions.flatMap(({ event }) => readDeletion(event).ids))]
  const known = ids.flatMap((id): [string, string][] => {
    const author = state.run.authorOf(id) ?? state.spool.find(id)?.event.pubkey
    return author === undefined ? [] : [[id, author]]
  })
  const authors = new Map(known)
  const served = await findAuthors(
    askedTarget(run),
    ids.filter((id) => !authors.has(id)),
  )
  return new Map([...authors, ...served])
}

/** A deletion whose known targets all have other authors does nothing anywhere. */
function deletesOnlyForOthers(event: NostrEvent, authorOf: ReadonlyMap<string, string>): boolean {
  const { ids, addresses, foreignAddresses } = readDeletion(event)
  const authors = ids.flatMap((id) => authorOf.get(id) ?? [])
  const isForeign = authors.length + foreignAddresses.length > 0 && authors.every((author) => author !== event.pubkey)
  return isForeign && addresses.length === 0
}

/**
 * What stands at the addresses of a piece beside it, by address: served by the target, as new or newer; and settled in
 * the spool, newer.
 */
type Aside = {
  readonly served: ReadonlyMap<string, NostrEvent>
  readonly remembered: ReadonlyMap<string, NostrEvent>
  /**
   * Ids that win over what the target serves in the same second: a page may have shown only one of several versions.
   */
  readonly tied: readonly string[]
}

async function findVersionsAside(piece: readonly SpooledEvent[], run: Run): Promise<Aside> {
  const { state } = run.world
  const addressed = piece.flatMap(({ event }) => {
    const address = addressOf(event)
    return address === undefined ? [] : [{ event, address }]
  })
  const addresses = addressed.map(({ address }) => address)
  // What a full second hides of an address is sent: a target that has it, or a newer one, says so.
  const versions = await findVersions(askedTarget(run), addresses, () => undefined)
  const served = addressed.flatMap(({ event, address }): [string, NostrEvent][] => {
    const shown = versions.get(address)
    return shown !== undefined && !isNewerVersion(event, shown) ? [[address, shown]] : []
  })
  const tied = addressed.flatMap(({ event, address }) => {
    const shown = versions.get(address)
    return shown?.created_at === event.created_at && isNewerVersion(event, shown) ? [event.id] : []
  })
  const remembered = addressed.flatMap(({ event, address }): [string, NostrEvent][] => {
    const newer = state.spool.rememberedVersions(address).filter((other) => isNewerVersion(other.event, event))
    return newer.map((other) => [address, other.event])
  })
  return { served: new Map(served), remembered: new Map(remembered), tied }
}

/** Of a piece, what the target serves already: `held` as it is, `superseded` by a newer version that counts. */
async function findHeld(
  piece: readonly SpooledEvent[],
  { served, remembered, tied, freed }: Aside & { readonly freed: ReadonlySet<string> },
  run: ScopedRun,
): Promise<Map<string, string>> {
  const { fate, witnesses } = run
  const { state } = run.world
  const target = askedTarget(run)
  const held = new Map<string, string>()
  const parked = piece.filter(({ state }) => state !== 'candidate').map(({ event }) => event.id)
  for (const id of await findServed(target, parked)) held.set(id, 'held')
  for (const id of await findServed(target, tied)) held.set(id, 'held')
  for (const { event } of piece) {
    const address = addressOf(event) ?? ''
    const [shown, settled] = [served.get(address), remembered.get(address)]
    if (shown?.id === event.id) held.set(event.id, 'held')
    else if (shown !== undefined && isNewerVersion(shown, event) && !freed.has(shown.id))
      held.set(event.id, 'superseded')
    else if (settled === undefined) continue
    else if (withdrawnBecause(settled, run) === undefined) held.set(event.id, 'superseded')
    else
      for (const memory of state.spool.rememberedVersions(address))
        if (memory.event.id === settled.id) fate.forget(memory)
  }
  const shown = piece.map(({ event }) => event).filter(({ id }) => held.get(id) === 'held')
  witnesses.add(target.endpoint.url, shown)
  return held
}

/** Missing parents of what is sent are sent too, even from outside the window of a backfill; so are theirs. */
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

function takeOut(spooled: SpooledEvent, why: string, run: ScopedRun): void {
  const { fate } = run
  if (spooled.state === 'parked') return settleParked(spooled, why, run)
  if (why !== 'held') return fate.drop(spooled, why)
  fate.forget(spooled)
  countHeld(spooled.layer, spooled.event, run)
}

function settleParked(spooled: SpooledEvent, why: string, { fate, ledger }: Run): void {
  switch (why) {
    case 'held':
      ledger.note('Some events that waited on disk are served by the target now.')
      return fate.settle(spooled, 'accepted')
    case 'superseded':
    case 'vanished':
    case 'deleted':
    case 'expired':
      return fate.settle(spooled, why)
    default:
      return fate.drop(spooled, why)
  }
}

/** What lies outside the window is not sent; where it was taken back, an older version may lie in the window. */
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
