import { resolve } from 'node:path'
import { suggestSimilar } from '../../scope/suggest.ts'
import { UsageError } from '../../errors.ts'
import type { CliCommand } from '../parse/command-table.ts'
import { createOptionReader } from '../parse/option-reader.ts'
import { OPTIONS } from '../parse/option-table.ts'
import { parseFileName } from '../parse/parse-endpoint.ts'
import { ok } from '../parse/parsed.ts'
import { readEnvironment, resolveLayers, type Environment, type RawValues } from '../parse/raw-values.ts'
import type { ConfigFile } from './config-file.ts'
import { defaultConfigFiles, findConfigFile } from './find-config.ts'

/** The configuration that the command line chooses. */
export type Settings = {
  /** The file; undefined if there is none. */
  readonly file: ConfigFile | undefined
  /** The profiles to use, in order; empty if none was chosen. */
  readonly chosen: readonly string[]
}

/** The inputs of `readSettings`. `warn` takes one line without its end. */
export type SettingsInput = {
  readonly command: CliCommand
  readonly flags: RawValues
  readonly env: Environment
  readonly warn: (line: string) => void
}

/**
 * Reads the configuration file, if there is one, and chooses its profiles. Throws UsageError. Loads the parser of YAML
 * only if there is a file.
 */
export async function readSettings({ command, flags, env, warn }: SettingsInput): Promise<Settings> {
  if (!OPTIONS.config.commands.includes(command)) return { file: undefined, chosen: [] }
  const problems: string[] = []
  const reader = createOptionReader(resolveLayers([flags, readEnvironment(command, env)]), problems)
  const named = reader.one(OPTIONS.config, parseFileName)
  const profiles = reader.many(OPTIONS.profile, ok)
  const isEvery = reader.isOn(OPTIONS.allProfiles)
  if (isEvery && profiles.length > 0) problems.push('--profile and --all-profiles exclude each other: give one of them')
  if (problems.length > 0) throw new UsageError(problems)
  const path = named ?? findConfigFile(env)
  const file = path === undefined ? undefined : await loadConfig(resolve(path), warn)
  return { file, chosen: isEvery ? everyProfile(file, env) : profiles.map((name) => findProfile(name, file, env)) }
}

async function loadConfig(path: string, warn: (line: string) => void): Promise<ConfigFile> {
  const [{ readConfigFile }, { parseConfig }] = await Promise.all([
    import('./read-config-file.ts'),
    import('./parse-config.ts'),
  ])
  return parseConfig(readConfigFile(path, warn), path)
}

function everyProfile(file: ConfigFile | undefined, env: Environment): readonly string[] {
  if (file === undefined) throw new UsageError([noFile(env)])
  if (file.profiles.size === 0) throw new UsageError([`${file.path} has no profiles`])
  return [...file.profiles.keys()]
}

function findProfile(name: string, file: ConfigFile | undefined, env: Environment): string {
  if (file === undefined) throw new UsageError([noFile(env)])
  if (file.profiles.has(name)) return name
  const known = [...file.profiles.keys()]
  const similar = suggestSimilar(name, known)
  const hint = similar === undefined ? `it has ${known.slice(0, 20).join(', ') || 'none'}` : `did you mean ${similar}?`
  throw new UsageError([`no profile "${name.slice(0, 100)}" in ${file.path}: ${hint}`])
}

function noFile(env: Environment): string {
  return `no configuration file: give --config, or write ${defaultConfigFiles(env)[0] ?? ''}`
}
