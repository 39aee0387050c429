import type { Layer } from '../checkpoint/layers.ts'
import type { SincePolicy } from '../checkpoint/plan.ts'
import type { RelayNames } from '../nostr/vanish.ts'
import type { Aftermath } from '../relay/aftermath.ts'
import type { Peer } from '../relay/peer.ts'
import type { GitRepair, GitReport } from '../report/git-report.ts'
import type { CheckReport } from '../report/report.ts'
import type { RunOptions } from '../report/run-options.ts'
import type { UnixSeconds } from '../time.ts'
import type { Fate } from './fate.ts'
import type { DifferenceTally } from './difference-tally.ts'
import type { Ledger } from './ledger.ts'
import type { SourceLog } from './source-log.ts'
import type { OpenSource } from './source.ts'
import type { TargetGaps } from './target-gaps.ts'
import type { WitnessLog } from './witness-log.ts'
import type { World } from './world.ts'

/** One run: its options, the relays it talks to, and what it finds. Each chapter picks the fields that it needs. */
export type Run = {
  readonly options: RunOptions
  readonly world: World
  /** Its number in the history of the state file. */
  readonly number: number
  readonly startedAt: UnixSeconds
  readonly layers: readonly Layer[]
  readonly policy: SincePolicy
  readonly target: Peer
  /** Notices when the target takes back answers about deletions and versions, which are asked beside the layers. */
  readonly targetAside: Aftermath
  /** Names by which a request to vanish may mean the target (NIP-62). */
  readonly targetNames: RelayNames
  /** What the target says it is, such as `ngit-grasp 3.0.10`. */
  readonly software: string | undefined
  /** Grows as announcements lead to more sources. */
  readonly sources: OpenSource[]
  /** By URL; sources that could not be opened have one too. Grows with `sources`. */
  readonly logs: Map<string, SourceLog>
  readonly ledger: Ledger
  readonly fate: Fate
  /** The events that each endpoint was seen to hold. */
  readonly witnesses: WitnessLog
  /** For `check`: counts of what the target holds, and of what it lacks. */
  readonly differences: DifferenceTally
  /** Why the target may hide something: nothing that it lacks is overlooked, but events that only it has may be. */
  readonly targetGaps: TargetGaps
  /** What `check` found; null for other commands. */
  check: CheckReport | null
  /** What git servers serve; null unless that was looked at (`--git`). */
  git: GitReport | null
  /** What was done about the git data of repositories, by address `30617:…`. */
  readonly repairs: Map<string, GitRepair>
  /** The run ended before everything was selected: no checkpoint may move. */
  wasCutShort: boolean
}

/** Whether every source was read to its end, and at the target everything that leads to more. */
export function isRead(run: Pick<Run, 'logs' | 'target' | 'targetGaps' | 'wasCutShort' | 'world'>): boolean {
  const isEverySourceRead = [...run.logs.values()].every((log) => log.isComplete())
  const isTargetRead = run.targetGaps.isEmpty && !run.target.breadth.hides
  return isEverySourceRead && isTargetRead && !run.wasCutShort && brokenLines(run) === 0
}

/** How many lines of source files could not be read. */
function brokenLines({ world }: Pick<Run, 'world'>): number {
  const counts = world.sources.map((endpoint) => (endpoint.kind === 'file' ? endpoint.brokenLines().count : 0))
  return counts.reduce((sum, count) => sum + count, 0)
}
