import type { UnixSeconds } from '../time.ts'
import { openStateFile } from './state-file.ts'

/**
 * When a run of this command for this target last ended with exit code 0, by the history in the state file; `undefined`
 * if none did, as far as it remembers. Throws SyncError when the file is unreadable.
 */
export function loadLastSuccess(stateFile: string, target: string, command: string): UnixSeconds | undefined {
  const db = openStateFile(stateFile)
  try {
    const row = db.prepare(LAST_SUCCESS).get(target, command) as { readonly endedAt: UnixSeconds | null }
    return row.endedAt ?? undefined
  } finally {
    db.close()
  }
}

const LAST_SUCCESS = `
SELECT max(started_at + duration_ms / 1000) AS endedAt FROM run WHERE target = ? AND command = ? AND exit = 0`
