import { ALL_OPTIONS, envNameOf, OPTIONS, optionsOf, SECRET_VARIABLES, type OptionSpec } from './option-table.ts'
import type { CliCommand } from './command-table.ts'
import { isOn } from './parsed.ts'
import { suggestSimilar } from '../../scope/suggest.ts'

/** A place in the configuration file. Line and column start at 1; `profile` undefined means under `defaults`. */
export type FilePlace = {
  readonly file: string
  readonly profile: string | undefined
  readonly line: number
  readonly column: number
}

/**
 * The texts given for one option, and their origin: `--since`, `NGIT_SYNC_SINCE`, `since (config.yaml:7:12)`. An empty
 * text is a missing value.
 */
export type RawValue = {
  readonly texts: readonly string[]
  readonly origin: string
  /** The place of each text; only for values of the configuration file. */
  readonly places?: readonly FilePlace[]
}

/** The texts of one layer: the command line, the environment, a configuration file. */
export type RawValues = ReadonlyMap<OptionSpec, RawValue>

/** Environment variables as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Options that exclude each other: one that is given wins over the other in a lower layer. */
const RIVALS: readonly (readonly [OptionSpec, OptionSpec])[] = [
  [OPTIONS.quiet, OPTIONS.verbose],
  [OPTIONS.full, OPTIONS.since],
  [OPTIONS.scope, OPTIONS.repo],
  [OPTIONS.scope, OPTIONS.author],
  [OPTIONS.profile, OPTIONS.allProfiles],
]

/**
 * Takes each option from the first layer that has it: the command line, the environment, the profile, the defaults of
 * the file.
 */
export function resolveLayers(layers: readonly RawValues[]): RawValues {
  const resolved = new Map<OptionSpec, RawValue>()
  for (const layer of layers) {
    const beaten = new Set([...resolved].flatMap(([spec, value]) => rivalsOf(spec, value)))
    for (const [spec, value] of layer) if (!resolved.has(spec) && !beaten.has(spec)) resolved.set(spec, value)
  }
  return resolved
}

/** How an error names an option of the configuration file: `since (config.yaml:7:12)`. */
export function fileOrigin(spec: OptionSpec, { file, line, column }: FilePlace): string {
  return `${keyOf(spec)} (${file}:${line}:${column})`
}

/** The name of an option in the configuration file: `--quick-window` → `quick-window`. */
export function keyOf({ flag }: OptionSpec): string {
  return flag.slice(2)
}

/** Reads the environment variables of a command's options. An empty variable counts as unset. */
export function readEnvironment(command: CliCommand, env: Environment): RawValues {
  return new Map(optionsOf(command).flatMap((spec) => readVariable(spec, env)))
}

/** One line for each variable that is almost one of ours; otherwise a misspelt one would be silently ignored. */
export function misspeltVariables(env: Environment): string[] {
  const known = [...ALL_OPTIONS.map(envNameOf), ...Object.values(SECRET_VARIABLES)]
  return Object.keys(env)
    .filter((name) => name.startsWith('NGIT_SYNC_') && !known.includes(name) && env[name] !== '')
    .flatMap((name) => {
      const similar = suggestSimilar(name.slice('NGIT_SYNC_'.length), known.map(withoutPrefix))
      return similar === undefined ? [] : [`unknown variable ${name}: did you mean NGIT_SYNC_${similar}?`]
    })
}

function readVariable(spec: OptionSpec, env: Environment): [OptionSpec, RawValue][] {
  const origin = envNameOf(spec)
  const text = env[origin]?.trim() ?? ''
  if (text === '') return []
  const texts = spec.repeatable ? text.split(/[\s,]+/).filter((part) => part !== '') : [text]
  return [[spec, { texts, origin }]]
}

/** A switch that is turned off rivals nothing. */
function rivalsOf(spec: OptionSpec, { texts }: RawValue): OptionSpec[] {
  if (spec.value === null && texts.every((text) => !isOn(text))) return []
  return RIVALS.filter((pair) => pair.includes(spec)).flatMap((pair) => pair.filter((other) => other !== spec))
}

function withoutPrefix(name: string): string {
  return name.slice('NGIT_SYNC_'.length)
}
