import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { foldLoopback } from '../nostr/host.ts'

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
