import { hostedAnchor, type Variant } from '../checkpoint/layers.ts'
import { addressOf } from '../nostr/address.ts'
import { tagValues, type NostrEvent } from '../nostr/event.ts'
import { createMatcher } from '../nostr/filter.ts'
import type { ScopePlace } from '../report/why.ts'
import { initialAnchors, outOfScope } from '../scope/scope.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'

/** Authors choose how many references they write. */
const MAX_VALUES = 200
const REFERRING = ['a', 'A', 'e', 'E', 'q']

/**
 * Says by which layer and filter a run finds the event, or why it is none of its events, by what is known now. `kin`: the
 * ids of events that are known to belong.
 */
export function placeInScope(event: NostrEvent, run: ScopedRun, kin: ReadonlySet<string>): ScopePlace {
  const outside = outOfScope(event, run.choice.scope, run.catalog.members())
  if (outside !== undefined) return notInScope(outside)
  return findPlace(event, run) ?? notInScope(whyNot(event, kin, run))
}

function findPlace(event: NostrEvent, run: ScopedRun): ScopePlace | undefined {
  const anchors = anchorsOf(event, run)
  for (const { name: layer, variants } of run.layers) {
    for (const variant of variants) {
      const anchor = anchors.find((each) => run.world.state.anchors.has(each, [layer]) && finds(variant, each, event))
      if (anchor !== undefined) return { layer, filter: variant.name, anchor, why: null }
    }
  }
  return undefined
}

function finds({ serves, filter, accepts }: Variant, anchor: string, event: NostrEvent): boolean {
  return serves(anchor) && createMatcher(filter([anchor]))(event) && (accepts?.(event) ?? true)
}

/** The anchors by which an event may be found. */
function anchorsOf(event: NostrEvent, { choice: { scope } }: ScopedRun): string[] {
  const hosted = scope.type === 'listed' ? [hostedAnchor(scope.service)] : []
  const values = REFERRING.flatMap((name) => tagValues(event, name)).slice(0, MAX_VALUES)
  return [...initialAnchors(scope), `author:${event.pubkey}`, addressOf(event) ?? '', ...hosted, ...values]
}

function whyNot(event: NostrEvent, kin: ReadonlySet<string>, { options }: ScopedRun): string {
  const values = REFERRING.flatMap((name) => tagValues(event, name))
  if (!options.followUps && values.some((value) => kin.has(value)))
    return 'a follow-up of a comment, status or the like'
  return values.length === 0 ? 'it refers to nothing' : 'nothing that it refers to is in scope'
}

function notInScope(why: string): ScopePlace {
  return { layer: null, filter: null, anchor: null, why }
}
