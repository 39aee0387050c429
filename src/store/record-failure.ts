import { existsSync } from 'node:fs'
import type { CommandName } from '../report/report.ts'
import type { UnixSeconds } from '../time.ts'
import { RunStore } from './runs.ts'
import { openStateFile } from './state-file.ts'

/** A run that ended before it had begun: another held the lock, the target was unreachable. */
export type FailedStart = {
  readonly command: CommandName
  readonly startedAt: UnixSeconds
  readonly durationMs: number
  readonly exit: number
  readonly reason: string
}

/** Writes a run that could not begin into the history. Makes no state file; throws SyncError if it is unreadable. */
export function recordFailure(stateFile: string, target: string, failed: FailedStart): void {
  if (!existsSync(stateFile)) return
  const db = openStateFile(stateFile)
  try {
    const runs = new RunStore(db, target)
    db.transaction(() => {
      const number = runs.begin(failed.command, failed.startedAt)
      runs.end(number, { ...failed, published: 0, parked: runs.lastParked() })
    }).immediate()
  } finally {
    db.close()
  }
}
