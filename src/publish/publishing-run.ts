import type { NostrEvent } from '../nostr/event.ts'
import type { Pacer } from '../relay/pace/pacing.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import type { Doorkeeper } from './door.ts'

/** A run that sends, with what publishing remembers between its rounds. */
export type PublishingRun = ScopedRun & {
  readonly pacer: Pacer
  readonly door: Doorkeeper
  /** Parents that the target takes no children of at present, by anchor, and why. */
  readonly blocked: Map<string, string>
  /** What was freed once: events, and the parents that the target was found to serve. */
  readonly released: Set<string>
  /** Parents that gave what was refused a new start once. */
  readonly reopened: Set<string>
  readonly stageOf: (event: NostrEvent) => number
  /** Whether an announcement that does not name the target may be taken later, for the sake of another. */
  readonly awaitsOwner: (event: NostrEvent) => boolean
  /** Whether the target hosts an event whatever it depends on (GRASP-06). */
  readonly isHosted: (event: NostrEvent) => boolean
}
