/*
 * Decides what a run may move forward. A checkpoint is the *start* of a run, and it moves last: `advanceCheckpoint` is
 * called only after every event behind it is settled or parked on disk (rule 2), and it moves only anchors whose
 * filters were all drained (rule 1). A `since` read without an earlier checkpoint creates none (rule 3).
 */
import type { Checkpoint } from './plan.ts'
import type { UnixSeconds } from '../time.ts'

/** How one anchor was read at one source in this run. */
export type AnchorRead = {
  readonly mode: 'full' | 'since'
  readonly since: UnixSeconds | undefined
  /** Whether every filter of the anchor was drained. */
  readonly drained: boolean
}

/** The checkpoint after this run, or `undefined` if it does not move. */
export function advanceCheckpoint(
  read: AnchorRead,
  before: Checkpoint | undefined,
  run: { startedAt: UnixSeconds; overlapSeconds: number },
): Checkpoint | undefined {
  if (!read.drained) return undefined
  if (read.mode === 'full') return { drainedAt: run.startedAt, fullAt: run.startedAt }
  if (before === undefined || read.since === undefined) return undefined
  const leavesNoGap = read.since <= before.drainedAt - run.overlapSeconds || read.since === 0
  if (!leavesNoGap || before.drainedAt > run.startedAt) return undefined
  return { drainedAt: run.startedAt, fullAt: before.fullAt }
}
