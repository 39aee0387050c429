/*
 * What a run may move forward. A checkpoint is the *start* of a run, and it moves last: `advanceCheckpoint` is asked
 * only after every event behind it is settled or parked on disk (rule 2), and it moves only anchors of which every
 * filter was drained (rule 1). A bounded read on top of nothing creates nothing (rule 3).
 */
import type { Checkpoint } from './plan.ts'
import type { UnixSeconds } from '../time.ts'

/** How one anchor was read at one source in this run. */
export type AnchorRead = {
  readonly mode: 'full' | 'since'
  readonly since: UnixSeconds | undefined
  /** Every filter of the anchor was read to its bottom. */
  readonly drained: boolean
}

/** The checkpoint after this run, or `undefined` when it stays as it was. */
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
