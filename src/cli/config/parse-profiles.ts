import { UsageError } from '../../errors.ts'
import type { CliCommand } from '../parse/command-table.ts'
import { OPTIONS, type OptionSpec } from '../parse/option-table.ts'
import {
  layersOf,
  parseOptions,
  type ActingCommand,
  type OptionsInput,
  type OutputOptions,
  type ParsedOptions,
} from '../parse/options.ts'
import { isOn } from '../parse/parsed.ts'
import { misspeltVariables, type RawValues } from '../parse/raw-values.ts'
import type { ScriptWish } from '../script-wish.ts'
import { buildOverview, sectionOf, type ConfigOverview } from './config-overview.ts'
import { readSettings, type Settings } from './settings.ts'

/** One of several runs: a profile of the configuration file and what it amounts to. */
export type ProfileLine = { readonly profile: string; readonly line: ParsedOptions }

/** Runs of one or more profiles, one after the other. */
export type ProfilesLine = { readonly type: 'profiles'; readonly lines: readonly ProfileLine[] }

/** What `config` shows, and how. */
export type ConfigLine = {
  readonly type: 'config'
  readonly overview: ConfigOverview
  readonly output: Pick<OutputOptions, 'json' | 'verbose' | 'color'>
}

/** What is wrong, and what scripts want to hear of it; unknown if the configuration could not be read. */
export type WrongOptions = { readonly problems: readonly string[]; readonly wish: ScriptWish | undefined }

/** The inputs of `parseProfiles`. `warn` takes one line without its end. */
export type ProfilesInput = Omit<OptionsInput, 'command' | 'settings' | 'profiles'> & {
  readonly command: CliCommand
  readonly warn: (line: string) => void
}

type Given = Omit<ProfilesInput, 'command'>

/**
 * Parses the options of a command once for each chosen profile, or once without a profile. Returns every problem of all
 * of them, because nothing is run before all is right.
 */
export async function parseProfiles({
  command,
  ...given
}: ProfilesInput): Promise<ParsedOptions | ProfilesLine | ConfigLine | WrongOptions> {
  try {
    const settings = await readSettings({ ...given, command })
    if (command === 'config') return withWish(parseConfigLine(settings, given), undefined)
    return withWish(parseEach(command, settings, given), wishOfAny(command, settings, given))
  } catch (error) {
    if (error instanceof UsageError) return { problems: [...given.problems, ...error.problems], wish: undefined }
    throw error
  }
}

function withWish<T>(parsed: T | UsageError, wish: ScriptWish | undefined): T | WrongOptions {
  return parsed instanceof UsageError ? { problems: parsed.problems, wish } : parsed
}

/** What scripts want of all the chosen profiles: one document, if one of them says so. */
function wishOfAny(command: ActingCommand, settings: Settings, { flags, env }: Given): ScriptWish {
  const profiles = settings.chosen.length === 0 ? [undefined] : settings.chosen
  const values = profiles.map((profile) => layersOf({ command, flags, env, settings: sectionOf(settings, profile) }))
  const isAny = (isSo: (texts: readonly string[], spec: OptionSpec) => boolean): boolean =>
    values.some((each) => [...each].some(([spec, { texts }]) => isSo(texts, spec)))
  return {
    json: isAny((texts, spec) => spec === OPTIONS.json && texts.some(isOn)),
    isStdoutTaken: isAny((texts, spec) => spec !== OPTIONS.source && texts.includes('-')),
  }
}

function parseConfigLine(settings: Settings, given: Given): ConfigLine | UsageError {
  const { flags, env } = given
  const problems = [...given.problems, ...misspeltVariables(env)]
  if (problems.length > 0) return new UsageError(problems)
  const color = !isGiven(flags, OPTIONS.noColor) && (env['NO_COLOR'] ?? '') === ''
  const output = { json: isGiven(flags, OPTIONS.json), verbose: isGiven(flags, OPTIONS.verbose), color }
  return { type: 'config', overview: buildOverview({ ...given, settings }), output }
}

/** Only the command line says how `config` prints: what the file says of `json` is shown, not done. */
function isGiven(flags: RawValues, spec: (typeof OPTIONS)['json']): boolean {
  return flags.get(spec)?.texts.some(isOn) ?? false
}

function parseEach(
  command: ActingCommand,
  settings: Settings,
  given: Given,
): ParsedOptions | ProfilesLine | UsageError {
  const parse = (profile?: string): ReturnType<typeof parseOptions> => {
    const profiles = profile === undefined ? [...(settings.file?.profiles.keys() ?? [])] : []
    return parseOptions({ ...given, command, settings: sectionOf(settings, profile), profiles })
  }
  const { chosen } = settings
  if (chosen.length === 0) return parse()
  const parsed = chosen.map((profile) => ({ profile, line: parse(profile) }))
  const wrong = parsed.flatMap(({ profile, line }) => (line instanceof UsageError ? [{ profile, line }] : []))
  if (wrong.length > 0) return new UsageError(mergeProblems(wrong, chosen.length))
  const lines = parsed.flatMap(({ profile, line }) => (line instanceof UsageError ? [] : [{ profile, line }]))
  const readers = lines.filter(({ line }) => line.type === 'run' && line.options.sources.includes('-'))
  if (readers.length < 2) return { type: 'profiles', lines }
  return new UsageError([`standard input can be read once only, and ${namesOf(readers)} name it as a source`])
}

type Wrong = { readonly profile: string; readonly line: UsageError }

/** Names the profile of a problem that not all of them have. */
function mergeProblems(wrong: readonly Wrong[], profiles: number): readonly string[] {
  const owners = new Map<string, string[]>()
  for (const { profile, line } of wrong) {
    for (const problem of line.problems) owners.set(problem, [...(owners.get(problem) ?? []), profile])
  }
  return [...owners].map(([problem, names]) =>
    names.length === profiles ? problem : `profile ${names.join(', ')}: ${problem}`,
  )
}

function namesOf(lines: readonly Pick<ProfileLine, 'profile'>[]): string {
  return lines.map(({ profile }) => profile).join(', ')
}
