import { statSync } from 'node:fs'
import { reasonOf, SyncError, UsageError } from '../errors.ts'
import { openStateFile, type Db } from './state-file.ts'
import { isWantedKey, sortKeys, stateKey, type WantedState } from './state-key.ts'

/** How many targets a message names. */
const NAMED = 5

/** Opens a state file that must exist, for a command that only reads. Throws SyncError that says why it cannot. */
export function openKnownState(stateFile: string): Db {
  try {
    statSync(stateFile)
  } catch (error) {
    throw missingError(stateFile, error)
  }
  return openStateFile(stateFile)
}

/** A file below a directory that this user may not enter is not a missing one. */
function missingError(stateFile: string, error: unknown): SyncError {
  const code = (error as { code?: string }).code ?? ''
  if (code === 'ENOENT') {
    return new SyncError(`read state ${stateFile}: no such file`, {
      cause: error,
      hint: 'it is made by the first run; name another with --state',
    })
  }
  const isDenied = code === 'EACCES' || code === 'EPERM'
  return new SyncError(`read state ${stateFile}: ${isDenied ? 'permission denied' : reasonOf(error)}`, {
    cause: error,
    hint: isDenied
      ? 'run it as the user who runs catchup, or name another file with --state'
      : 'name another file with --state',
  })
}

/**
 * Returns the keys of the targets that the state file knows, and of their shards, or just the wanted ones. Throws
 * UsageError that tells the known ones if none is wanted.
 */
export function keysOf(db: Db, stateFile: string, wanted: WantedState | undefined): readonly string[] {
  const known = knownKeys(db)
  if (wanted === undefined) return known
  const found = known.filter((key) => isWantedKey(key, wanted))
  if (found.length > 0) return found
  throw new UsageError([`no run for ${stateKey(wanted.target, wanted.shard)} is in ${stateFile}: ${knownText(known)}`])
}

/** Like `keysOf`, but empty where that throws. */
export function findKeys(db: Db, wanted: WantedState): readonly string[] {
  return knownKeys(db).filter((key) => isWantedKey(key, wanted))
}

function knownKeys(db: Db): readonly string[] {
  const rows = db
    .prepare('SELECT target FROM run UNION SELECT target FROM coverage UNION SELECT target FROM spool')
    .all() as { target: string }[]
  return sortKeys(rows.map((row) => row.target))
}

function knownText(known: readonly string[]): string {
  if (known.length === 0) return 'it knows no target yet'
  const more = known.length > NAMED ? ` and ${known.length - NAMED} more` : ''
  return `it knows ${known.slice(0, NAMED).join(', ')}${more}`
}
