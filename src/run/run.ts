import type { Aftermath } from '../relay/aftermath.ts'
import type { Peer } from '../relay/peer.ts'
import type { RunOptions } from '../report/run-options.ts'
import type { CheckReport } from '../report/report.ts'
import type { UnixSeconds } from '../time.ts'
import type { Fate } from './fate.ts'
import type { Ledger } from './ledger.ts'
import type { SourceLog } from './source-log.ts'
import type { OpenSource } from './source.ts'
import type { TargetGaps } from './target-gaps.ts'
import type { World } from './world.ts'

/** What a run is, whatever its stages add. A stage names what it needs of it. */
export type Run = {
  readonly options: RunOptions
  readonly world: World
  readonly number: number
  readonly startedAt: UnixSeconds
  readonly target: Peer
  /** What follows the ends of what the target was asked of deletions and versions. */
  readonly targetAside: Aftermath
  readonly software: string | undefined
  /** Grows while announcements lead to more. */
  readonly sources: readonly OpenSource[]
  /** By URL; of sources that could not be opened as well. */
  readonly logs: ReadonlyMap<string, SourceLog>
  readonly ledger: Ledger
  readonly fate: Fate
  /** Where the target may hide something: nothing it lacks is overlooked, but what only it has may be. */
  readonly targetGaps: TargetGaps
  /** What `check` found; null for other commands. */
  check: CheckReport | null
  /** The run ended before everything was selected: nothing may move. */
  wasCutShort: boolean
}

/** Whether every source was read to its end, and what the target has as far as it leads to more. */
export function isRead(run: Run): boolean {
  const isEverySourceRead = [...run.logs.values()].every((log) => log.isComplete())
  const isTargetRead = run.targetGaps.isEmpty && !run.target.breadth.hides
  return isEverySourceRead && isTargetRead && !run.wasCutShort && brokenLines(run) === 0
}

/** How many lines of the sources could not be read: files only have lines. */
function brokenLines({ world }: Run): number {
  const counts = world.sources.map((endpoint) => (endpoint.kind === 'file' ? endpoint.brokenLines().count : 0))
  return counts.reduce((sum, count) => sum + count, 0)
}
