import type { NostrEvent } from '../../../src/nostr/event.ts'
import type { Filter } from '../../../src/nostr/filter.ts'
import { expectedOfEverything } from '../../support/expected-events.ts'
import { generateHistory } from '../../support/generate.ts'
import { nowSeconds } from '../../support/workbench.ts'
import type { Phase } from './fault.ts'

/** What the source holds: two repositories with states, roots, comments and statuses, one event a minute. */
export const HISTORY: readonly NostrEvent[] = [
  ...generateHistory({ repositories: 2, rootsPerRepository: 2, commentsPerRoot: 2, seed: 7 }),
]

/** What the target holds before: one repository of the two, and the beginning of a thread. */
export const HELD: readonly NostrEvent[] = HISTORY.filter((_, index) => [0, 1, 4, 5].includes(index))

const ROOT_KINDS = [1617, 1618, 1621]
const isAddress = (value: string): boolean => value.startsWith('30617:')

/** What the target must hold in the end. */
export function belongsOf(events: readonly NostrEvent[]): NostrEvent[] {
  return expectedOfEverything(events, nowSeconds())
}

/** The anchors of these events, as `layer anchor`: the scope, addresses of announcements and states, ids of roots. */
export function anchorsOf(events: readonly NostrEvent[]): string[] {
  const anchors = events.flatMap(({ id, kind, pubkey, tags }) => {
    const d = tags.find(([name]) => name === 'd')?.[1] ?? ''
    if (kind === 30617) return [30617, 30618].map((each) => `repositories ${each}:${pubkey}:${d}`)
    return ROOT_KINDS.includes(kind) ? [`threads ${id}`] : []
  })
  return ['announcements all', ...new Set(anchors)].sort()
}

/** Whether an anchor of a layer stands for the event, by the table of layers in design.md. */
export function standsFor({ layer, anchor }: { layer: string; anchor: string }, event: NostrEvent): boolean {
  const { kind, pubkey, tags } = event
  const names = (letters: string): boolean =>
    tags.some(([name = '', value]) => letters.includes(name) && name.length === 1 && value === anchor)
  if (layer === 'announcements') return kind === 30617 || kind === 10317
  if (layer === 'threads') return names('eEq')
  const d = tags.find(([name]) => name === 'd')?.[1] ?? ''
  return anchor.startsWith('30618:') ? anchor === `${kind}:${pubkey}:${d}` : names('aAq')
}

/** The layer that a filter reads; `undefined` for questions about ids that nobody knows, deletions or page sizes. */
export function layerOf(filter: Filter, events: readonly NostrEvent[]): Phase | undefined {
  const { kinds = [], ids } = filter
  if (kinds.join() === '5') return undefined
  if (kinds.includes(30617) || kinds.includes(10317)) return 'layer 1'
  if (ids !== undefined) return layerOfEvent(events.find(({ id }) => ids.includes(id)))
  const values = ['#q', '#a', '#A'].flatMap((name) => filter[name as '#q'] ?? [])
  if (kinds.includes(30618) || values.some(isAddress)) return 'layer 2'
  return ['#e', '#E', '#q'].some((name) => filter[name as '#e'] !== undefined) ? 'layer 3' : undefined
}

function layerOfEvent(event: NostrEvent | undefined): Phase | undefined {
  if (event === undefined) return undefined
  if (event.kind === 30617 || event.kind === 10317) return 'layer 1'
  const isOfRepository = event.tags.some(([name = '', value = '']) => 'aAq'.includes(name) && isAddress(value))
  return event.kind === 30618 || isOfRepository ? 'layer 2' : 'layer 3'
}
