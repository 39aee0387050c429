import { addressOf, isNewerVersion } from '../nostr/address.ts'
import type { NostrEvent } from '../nostr/event.ts'
import { findServed, findVersions } from '../relay/holdings.ts'
import { askedTarget } from '../run/ask-sources.ts'
import type { Run } from '../run/run.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import type { SpooledEvent } from '../store/spooled-event.ts'
import { withdrawnBecause } from '../withdraw/withdrawals.ts'

/**
 * Other versions at the addresses of a piece, by address. `served`: by the target, as new or newer. `remembered`:
 * settled in the spool, newer.
 */
type Aside = {
  readonly served: ReadonlyMap<string, NostrEvent>
  readonly remembered: ReadonlyMap<string, NostrEvent>
  /** Ids that win over the target's version of the same second: its page may have shown only one of several. */
  readonly tied: readonly string[]
  /** Ids of events of which the target serves an older version. */
  readonly older: readonly string[]
}

/** Asks the target for the versions at the addresses of a piece. Throws LostRelayError. */
export function askForVersions(piece: readonly SpooledEvent[], run: Run): Promise<ReadonlyMap<string, NostrEvent>> {
  const addresses = piece.flatMap(({ event }) => addressOf(event) ?? [])
  // A version that a full second hides is sent: a target that has it, or a newer one, says so.
  return findVersions(askedTarget(run), addresses, () => undefined)
}

/** Looks up the other versions at the addresses of a piece, among those of the target and in the spool. */
export function findVersionsAside(
  piece: readonly SpooledEvent[],
  versions: ReadonlyMap<string, NostrEvent>,
  { world: { state } }: Run,
): Aside {
  const addressed = piece.flatMap(({ event }) => {
    const address = addressOf(event)
    return address === undefined ? [] : [{ event, address }]
  })
  const served = addressed.flatMap(({ event, address }): [string, NostrEvent][] => {
    const shown = versions.get(address)
    return shown !== undefined && !isNewerVersion(event, shown) ? [[address, shown]] : []
  })
  const tied = addressed.flatMap(({ event, address }) => {
    const shown = versions.get(address)
    return shown?.created_at === event.created_at && isNewerVersion(event, shown) ? [event.id] : []
  })
  const older = addressed.flatMap(({ event, address }) => {
    const shown = versions.get(address)
    return shown !== undefined && isNewerVersion(event, shown) ? [event.id] : []
  })
  const remembered = addressed.flatMap(({ event, address }): [string, NostrEvent][] => {
    const newer = state.spool.rememberedVersions(address).filter((other) => isNewerVersion(other.event, event))
    return newer.map((other) => [address, other.event])
  })
  return { served: new Map(served), remembered: new Map(remembered), tied, older }
}

/** Returns, by id, events that the target serves: `held`, or `superseded` by a newer version that counts. */
export async function findHeld(
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
