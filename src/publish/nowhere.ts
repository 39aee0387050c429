import { LostRelayError } from '../errors.ts'
import { addressOf, parseAddress } from '../nostr/address.ts'
import type { NostrEvent } from '../nostr/event.ts'
import { parentsOf } from '../nostr/references.ts'
import { keepValid } from '../nostr/verifier.ts'
import { findVersions } from '../relay/holdings.ts'
import { fetchByIds } from '../relay/paging/fetch-by-ids.ts'
import type { Peer } from '../relay/peer.ts'
import { askedPeers, failSource } from '../run/ask-sources.ts'
import type { SpooledEvent } from '../store/spooled-event.ts'
import { askForWithdrawals, withdrawnBecause } from '../withdraw/withdrawals.ts'
import { findSpooled, type Absence } from './orphans.ts'
import type { PublishingRun } from './publishing-run.ts'

const PIECE = 250

/**
 * Finds the parents of parked orphans that cannot come: they are neither on disk nor served by the target, and no
 * source has them, or only has what was taken back. Every source is asked for each by name, once a run. `undefined`
 * when a source did not answer. Throws LostRelayError when the target does not answer.
 */
export async function findNowhere(run: PublishingRun): Promise<ReadonlyMap<string, Absence> | undefined> {
  const asked = new Set<string>()
  const absences = new Map<string, Absence>()
  for (const piece of run.world.state.spool.inState('parked', PIECE)) {
    const orphans = piece.filter(({ isOrphan }) => isOrphan)
    const missing = missingParents(orphans, run).filter((anchor) => !asked.has(anchor))
    if (missing.length === 0) continue
    for (const anchor of missing) asked.add(anchor)
    const shown = await findAtSources(orphans, run)
    if (shown === undefined) return undefined
    await askForWithdrawals(shown, run)
    const alive = new Set(shown.filter((event) => withdrawnBecause(event, run) === undefined).map(anchorOf))
    const taken = new Map(shown.map((event) => [anchorOf(event), withdrawnBecause(event, run)]))
    for (const anchor of missing) if (!alive.has(anchor)) absences.set(anchor, taken.get(anchor) ?? 'nowhere')
  }
  return absences
}

function anchorOf(event: NostrEvent): string {
  return addressOf(event) ?? event.id
}

/** Returns the missing parents that any source serves; `undefined` when a source did not answer. */
async function findAtSources(orphans: readonly SpooledEvent[], run: PublishingRun): Promise<NostrEvent[] | undefined> {
  const shown: NostrEvent[] = []
  for (const source of askedPeers(run.sources)) {
    try {
      const { isAskedAbout = () => true } = source
      const about = orphans.filter(({ event }) => isAskedAbout(event))
      shown.push(...(await findHeld(source, missingParents(about, run), run)))
    } catch (error) {
      if (!(error instanceof LostRelayError)) throw error
      failSource(source, error, run)
      return undefined
    }
  }
  return shown
}

function missingParents(orphans: readonly SpooledEvent[], { world, released }: PublishingRun): string[] {
  const parents = new Set(orphans.flatMap(({ event }) => parentsOf(event)))
  return [...parents].filter((anchor) => !released.has(anchor) && findSpooled(anchor, world.state) === undefined)
}

/** Returns the verified newest versions and events that a source serves for these anchors. Throws LostRelayError. */
async function findHeld(source: Peer, anchors: readonly string[], { world }: PublishingRun): Promise<NostrEvent[]> {
  const { endpoint } = source
  const isAddress = (anchor: string): boolean => parseAddress(anchor) !== undefined
  const held = [...(await findVersions(source, anchors.filter(isAddress))).values()]
  const { reason } = await fetchByIds(
    anchors.filter((anchor) => !isAddress(anchor)),
    { request: (filter) => endpoint.request(filter), sink: async (events) => void held.push(...events) },
  )
  if (reason !== null) throw new LostRelayError(`ask ${endpoint.url} for ids: ${reason}`)
  return keepValid(held, world.verifier)
}
