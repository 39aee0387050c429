import type { NostrEvent } from '../nostr/event.ts'
import type { Pacer } from '../relay/pace/pacing.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import type { Doorkeeper } from './door.ts'
import type { SendWindow } from './send-window.ts'

/** A run that sends, with the memory of publishing between its rounds. */
export type PublishingRun = ScopedRun & {
  readonly pacer: Pacer
  readonly door: Doorkeeper
  readonly window: SendWindow
  /** Parents whose children the target does not take at present, by anchor, and why. */
  readonly blocked: Map<string, string>
  /** Events that were freed once, and parents that the target was found to serve. */
  readonly released: Set<string>
  /** Parents whose refused children were reopened once. */
  readonly reopened: Set<string>
  readonly stageOf: (event: NostrEvent) => number
  /** Whether an announcement that does not name the target may be taken later, because of an owner's. */
  readonly awaitsOwner: (event: NostrEvent) => boolean
  /** Whether the target hosts an event without its parents (GRASP-06). */
  readonly isHosted: (event: NostrEvent) => boolean
}
