import type { LayerName } from '../layer-name.ts'
import type { NostrEvent } from '../nostr/event.ts'
import type { Aftermath } from '../relay/aftermath.ts'
import type { Peer } from '../relay/peer.ts'
import type { Budget } from './budget.ts'
import type { SourceLog } from './source-log.ts'

/** A source that could be opened, what may still be read from it, and the log of how it went. */
export type OpenSource = {
  readonly peer: Peer
  readonly budget: Budget
  readonly log: SourceLog
  /** What follows the ends of questions that were asked beside the layers. */
  readonly aside: Aftermath
  /** What a discovered source is asked about; absent: everything. */
  readonly narrowing?: Narrowing
}

/** A discovered source is asked only about repositories that name it. The set of these may grow during the run. */
export type Narrowing = {
  /** Whether the source is to be asked for this anchor, and was not yet. */
  readonly isAskedFor: (layer: LayerName, anchor: string) => boolean
  readonly isAskedAbout: (event: NostrEvent) => boolean
}

/** A source that was discovered, or that more is known of, and the announcements that it is asked for. */
export type Discovered = { readonly source: OpenSource; readonly announcements: readonly string[] }
