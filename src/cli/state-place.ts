import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { foldLoopback } from '../nostr/host.ts'
import type { RunOptions } from '../report/run-options.ts'
import { stateKey } from '../store/state-key.ts'

/** The state file: the named one, or one in the user's state directory (XDG Base Directory specification). */
export function stateFileOf(named: string | undefined, env: Readonly<Record<string, string | undefined>>): string {
  if (named !== undefined) return resolve(named)
  const base = env['XDG_STATE_HOME']
  const directory = base !== undefined && base.startsWith('/') ? base : join(homedir(), '.local', 'state')
  return join(directory, 'ngit-sync', 'state.db')
}

/** The name of a target in the state file: one name for all loopback names of a relay, absolute paths for files. */
export function targetKeyOf(target: string): string {
  return /^wss?:\/\//.test(target) ? foldLoopback(target) : resolve(target)
}

/** The key of a run in the state file: of its target, or of the shard of it that the run is about. */
export function runKeyOf({ target, shard }: Pick<RunOptions, 'target' | 'shard'>): string {
  return stateKey(targetKeyOf(target), shard)
}
