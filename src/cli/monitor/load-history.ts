import { SyncError } from '../../errors.ts'
import type { Status } from '../../report/status.ts'
import { loadLastSuccess } from '../../store/last-success.ts'
import { loadStatus } from '../../store/load-status.ts'
import { stateKey, type WantedState } from '../../store/state-key.ts'
import type { UnixSeconds } from '../../time.ts'
import { targetKeyOf } from '../state-place.ts'
import { readFormerMetrics } from './metrics-file.ts'
import { endLabel, shardLabel, type History, type RunEnd, type SourceHistory } from './metrics.ts'

/**
 * Reads what is remembered of earlier runs. The state file knows no `check`, and the former metrics may be lost with a
 * reboot, so both are asked.
 */
export function loadHistory(path: string, { command, target, shard }: RunEnd, stateFile: string): History {
  const former = readFormerMetrics(path, shardLabel(shard))
  const label = endLabel(target)
  const { lastSuccessAt, status } = loadState(stateFile, { target: targetKeyOf(target), shard: shard ?? null }, command)
  const [known] = status?.targets ?? []
  const drained = new Map<string, UnixSeconds>()
  for (const { source, newestDrainedAt } of known?.coverage ?? []) {
    const place = endLabel(source)
    drained.set(place, Math.min(drained.get(place) ?? Infinity, newestDrainedAt))
  }
  const successes = [former.lastSuccessAt(command, label), lastSuccessAt].filter((time) => time !== undefined)
  return {
    lastSuccessAt: successes.length === 0 ? undefined : Math.max(...successes),
    waiting: known && {
      parked: known.parked,
      refused: known.refused.reduce((sum, { outcome, count }) => sum + (outcome === 'duplicate' ? 0 : count), 0),
    },
    sourceOf: (source): SourceHistory =>
      former.sourceOf(command, label, source) ?? { lastDrainedAt: drained.get(source), undrainedRuns: 0 },
  }
}

/** A state file that is not there yet, or cannot be read, knows nothing; the run has told why. */
function loadState(
  stateFile: string,
  wanted: WantedState,
  command: string,
): { readonly lastSuccessAt?: UnixSeconds | undefined; readonly status?: Status } {
  try {
    const status = loadStatus(stateFile, wanted)
    return { status, lastSuccessAt: loadLastSuccess(stateFile, stateKey(wanted.target, wanted.shard), command) }
  } catch (error) {
    if (error instanceof SyncError) return {}
    throw error
  }
}
