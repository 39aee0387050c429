import { resolve } from 'node:path'
import { listEnds } from '../store/list-ends.ts'
import type { ConfigFile } from './config/config-file.ts'
import { findConfigFile } from './config/find-config.ts'
import { maskUrls } from './mask-url.ts'
import { envNameOf, OPTIONS, type OptionSpec } from './parse/option-table.ts'
import type { Environment, RawValues } from './parse/raw-values.ts'
import { stateFileOf } from './state-place.ts'

/** What no shell reads as anything but a text, and no terminal as a command. */
const PLAIN_NAME = /^[\w.~/@%+,=[\]-][\w.~/@%+,=:[\]-]{0,255}$/
const MOST = 200

type Known = { readonly config: ConfigFile | undefined; readonly ends: ReturnType<typeof listEnds> }

/**
 * The names of one kind that are known from the configuration and the state file, one a line: `profiles`, `targets`,
 * `sources` or `ends`. The words behind the kind are those typed so far. Nothing where anything is wrong, because a
 * completion must not disturb who types.
 */
export async function listNames([kind, ...typed]: readonly string[], env: Environment): Promise<string> {
  const config = await silently(() => loadConfig(typed, env))
  const stateFile = valueOf(OPTIONS.state, typed, env) ?? textsOf(OPTIONS.state, config)[0]
  const ends = kind === 'profiles' ? undefined : await silently(() => listEnds(stateFileOf(stateFile, env)))
  const names = namesOf(kind, { config, ends: ends ?? { targets: [], sources: [] } })
  const plain = [...new Set(names)].filter(isPlain).slice(0, MOST)
  return plain.map((name) => `${name}\n`).join('')
}

/** Also without a query string, a user or a password. */
function isPlain(name: string): boolean {
  return PLAIN_NAME.test(name) && maskUrls(name) === name
}

function namesOf(kind: string | undefined, { config, ends }: Known): readonly string[] {
  const targets = (): string[] => [...textsOf(OPTIONS.target, config), ...ends.targets]
  const sources = (): string[] => [...textsOf(OPTIONS.source, config), ...ends.sources]
  switch (kind) {
    case 'profiles':
      return [...(config?.profiles.keys() ?? [])]
    case 'targets':
      return targets()
    case 'sources':
      return sources()
    case 'ends':
      return [...targets(), ...sources()].filter((name) => /^wss?:/.test(name))
    default:
      return []
  }
}

async function loadConfig(typed: readonly string[], env: Environment): Promise<ConfigFile | undefined> {
  const named = valueOf(OPTIONS.config, typed, env)
  const path = named === undefined ? findConfigFile(env) : resolve(named)
  if (path === undefined) return undefined
  const { readConfigFile } = await import('./config/read-config-file.ts')
  const { parseConfig } = await import('./config/parse-config.ts')
  return parseConfig(
    readConfigFile(path, () => undefined),
    path,
  )
}

/** All texts of an option in the file. */
function textsOf(spec: OptionSpec, config: ConfigFile | undefined): string[] {
  const sections: readonly RawValues[] = config === undefined ? [] : [config.defaults, ...config.profiles.values()]
  return sections.flatMap((section) => section.get(spec)?.texts ?? [])
}

/** What was typed for an option, or its variable. */
function valueOf(spec: OptionSpec, typed: readonly string[], env: Environment): string | undefined {
  const index = typed.lastIndexOf(spec.flag)
  const behind = index === -1 ? undefined : typed[index + 1]
  const joined = typed.find((word) => word.startsWith(`${spec.flag}=`))?.slice(spec.flag.length + 1)
  return behind ?? joined ?? (env[envNameOf(spec)] || undefined)
}

/** `undefined` in place of any failure. */
async function silently<T>(work: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await work()
  } catch {
    return undefined // the shell shows no messages while someone types
  }
}
