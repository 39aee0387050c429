import { COMMAND_NAMES, COMMANDS, type CliCommand, type CommandSpec } from '../parse/command-table.ts'
import { OPTIONS, optionsOf, type OptionSpec } from '../parse/option-table.ts'

/** What may stand after an option: words, files, or names that the program knows; `none` is a switch. */
export type Values = {
  readonly type: 'none' | 'any' | 'words' | 'names' | 'names or files' | 'files'
  readonly words: readonly string[]
  /** What `ngit-sync __complete` is asked for. */
  readonly names: NameKind | ''
}

/** The lists that `ngit-sync __complete` can give. `ends` are targets and sources. */
export type NameKind = 'profiles' | 'targets' | 'sources' | 'ends'

/** An option as the completions see it. `help` is one short line. */
export type CompletedOption = Pick<OptionSpec, 'flag' | 'short' | 'repeatable'> & {
  readonly help: string
  readonly values: Values
}

/** A command with its options, and what its argument may be. */
export type CompletedCommand = {
  readonly name: CliCommand
  readonly help: string
  readonly argument: Values
  readonly options: readonly CompletedOption[]
}

const NONE: Values = { type: 'none', words: [], names: '' }
const SHORT_LINE = 76

/** Every command with its options, from the tables of which the help is made. */
export function listCommands(): readonly CompletedCommand[] {
  return COMMAND_NAMES.map((name) => {
    const { summary, argument }: CommandSpec = COMMANDS[name]
    return {
      name,
      help: summary,
      argument: argument === undefined ? NONE : argumentValues(argument),
      options: optionsOf(name).map(toCompleted),
    }
  })
}

function argumentValues({ name, help }: NonNullable<CommandSpec['argument']>): Values {
  if (name === 'FILE') return { ...NONE, type: 'files' }
  const words = /^(\w+), (\w+) or (\w+)$/.exec(help)?.slice(1)
  return words === undefined ? { ...NONE, type: 'names', names: 'ends' } : { ...NONE, type: 'words', words }
}

function toCompleted(spec: OptionSpec): CompletedOption {
  const { flag, short, repeatable, help } = spec
  return { flag, short, repeatable, help: firstClause(help), values: valuesOf(spec) }
}

function valuesOf(spec: OptionSpec): Values {
  if (spec.value === null) return NONE
  if (spec === OPTIONS.source) return { ...NONE, type: 'names or files', names: 'sources' }
  if (spec === OPTIONS.target) return { ...NONE, type: 'names or files', names: 'targets' }
  if (spec === OPTIONS.profile) return { ...NONE, type: 'names', names: 'profiles' }
  if (spec === OPTIONS.discoverAllow) return { ...NONE, type: 'words', words: ['private', 'insecure'] }
  if (spec.value === 'FILE') return { ...NONE, type: 'files' }
  return /^[a-z]+(?:\|[a-z]+)+$/.test(spec.value)
    ? { ...NONE, type: 'words', words: spec.value.split('|') }
    : { ...NONE, type: 'any' }
}

/** Up to the first pause, unless that comes after a word or two: `skip: …`. */
function firstClause(help: string): string {
  const clause = /^.{12,}?(?=[;:] |, but | \(|$)/.exec(help)?.[0] ?? help
  return clause.length <= SHORT_LINE ? clause : `${clause.slice(0, SHORT_LINE - 1)}…`
}
