import { ALL_OPTIONS, envNameOf, optionsOf, SECRET_VARIABLES, type OptionSpec } from './option-table.ts'
import type { CliCommand } from './command-table.ts'
import { suggestSimilar } from '../../scope/suggest.ts'

/** The texts given for one option, and their origin: `--since`, `NGIT_SYNC_SINCE`. An empty text is a missing value. */
export type RawValue = { readonly texts: readonly string[]; readonly origin: string }

/** The texts of one layer: the command line, the environment, a configuration file. */
export type RawValues = ReadonlyMap<OptionSpec, RawValue>

/** Environment variables as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Takes each option from the first layer that has it: the command line, then the environment. */
export function resolveLayers(layers: readonly RawValues[]): RawValues {
  return new Map(layers.toReversed().flatMap((layer) => [...layer]))
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

function withoutPrefix(name: string): string {
  return name.slice('NGIT_SYNC_'.length)
}
