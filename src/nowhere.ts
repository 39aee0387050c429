import { LostRelayError } from './errors.ts'
import { parseAddress } from './nostr/address.ts'
import { parentsOf } from './nostr/references.ts'
import { findSpooled } from './orphans.ts'
import { findServed, findVersions } from './relay/holdings.ts'
import type { Peer } from './relay/peer.ts'
import type { SelectContext } from './select.ts'
import type { SpooledEvent } from './store/spooled-event.ts'

/** What is needed to ask for parents. `released` holds those that the target serves. */
export type NowhereContext = Pick<SelectContext, 'state' | 'peers' | 'sourceFailed'> & {
  readonly released: ReadonlySet<string>
}

const PIECE = 250

/**
 * Of the parents of parked orphans that are neither on disk nor served by the target, those that no source has: each is
 * asked of every source by itself, once a run. `undefined` when a source did not answer.
 */
export async function findNowhere(context: NowhereContext): Promise<ReadonlySet<string> | undefined> {
  const { state, peers, sourceFailed } = context
  const asked = new Set<string>()
  const nowhere = new Set<string>()
  for (const piece of state.spool.inState('parked', PIECE)) {
    const orphans = piece.filter(({ isOrphan }) => isOrphan)
    const missing = missingParents(orphans, context).filter((anchor) => !asked.has(anchor))
    if (missing.length === 0) continue
    for (const anchor of missing) {
      asked.add(anchor)
      nowhere.add(anchor)
    }
    for (const source of peers) {
      try {
        const { isAskedAbout = () => true } = source
        const named = new Set(
          missingParents(
            orphans.filter(({ event }) => isAskedAbout(event)),
            context,
          ),
        )
        for (const anchor of await findHeld(source, [...named])) nowhere.delete(anchor)
      } catch (error) {
        if (!(error instanceof LostRelayError)) throw error
        sourceFailed(source, error)
        return undefined
      }
    }
  }
  return nowhere
}

function missingParents(orphans: readonly SpooledEvent[], { state, released }: NowhereContext): string[] {
  const parents = new Set(orphans.flatMap(({ event }) => parentsOf(event)))
  return [...parents].filter((anchor) => !released.has(anchor) && findSpooled(anchor, state) === undefined)
}

async function findHeld(source: Peer, anchors: readonly string[]): Promise<string[]> {
  const isAddress = (anchor: string): boolean => parseAddress(anchor) !== undefined
  const versions = await findVersions(source, anchors.filter(isAddress))
  const ids = await findServed(
    source,
    anchors.filter((anchor) => !isAddress(anchor)),
  )
  return [...versions.keys(), ...ids]
}
