import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import type { Environment } from '../parse/raw-values.ts'

const NAMES = ['config.yaml', 'config.json']
const SYSTEM_DIRECTORY = '/etc/ngit-sync'

/** Returns the first configuration file that exists of those that need not be named; `undefined` if there is none. */
export function findConfigFile(env: Environment): string | undefined {
  return defaultConfigFiles(env).find((file) => existsSync(file))
}

/** The files that are looked for when `--config` is not given: the user's, then the machine's. */
export function defaultConfigFiles(env: Environment): readonly string[] {
  const base = env['XDG_CONFIG_HOME'] ?? ''
  const home = isAbsolute(base) ? base : join(homedir(), '.config')
  return [join(home, 'ngit-sync'), SYSTEM_DIRECTORY].flatMap((directory) => NAMES.map((name) => join(directory, name)))
}
