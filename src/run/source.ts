import type { LayerName } from '../layer-name.ts'
import type { NostrEvent } from '../nostr/event.ts'
import type { Aftermath } from '../relay/aftermath.ts'
import type { Peer } from '../relay/peer.ts'
import type { Budget } from './budget.ts'
import type { SourceLog } from './source-log.ts'

/** An open source, its remaining budget, and its log. */
export type OpenSource = {
  readonly peer: Peer
  readonly budget: Budget
  readonly log: SourceLog
  /** Notices when the source takes back answers to questions beside the layers. */
  readonly aside: Aftermath
  /** What a discovered source is asked about; absent: everything. */
  readonly narrowing?: Narrowing
}

/** A discovered source is asked only about repositories that name it; their number may grow during the run. */
export type Narrowing = {
  /** Whether the source should be asked for this anchor and has not been yet. */
  readonly isAskedFor: (layer: LayerName, anchor: string) => boolean
  readonly isAskedAbout: (event: NostrEvent) => boolean
}

/** A source that was just discovered, or that more announcements name now, and the announcements to ask it for. */
export type Discovered = { readonly source: OpenSource; readonly announcements: readonly string[] }
