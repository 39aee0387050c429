import { COMMAND_NAMES, COMMANDS, type CliCommand, type CommandSpec } from './command-table.ts'
import { escapeForTerminal } from '../escape.ts'
import { ALL_OPTIONS, isOption, optionsOf } from './option-table.ts'
import { looksLikeSecretKey } from './parse-secret.ts'
import { suggestSimilar } from '../../scope/suggest.ts'

const MISPLACED_KEY =
  'a secret key does not belong on the command line, where every user of the machine sees it: give --key-file'

/** Says what is wrong with a command line whose first word, this one, is not a command. */
export function noCommandProblem(first: string): string {
  return first.startsWith('-')
    ? `no command before ${quote(first)}: give one of ${COMMAND_NAMES.join(', ')}`
    : `unknown command ${quote(first)}: ${didYouMean(suggestSimilar(first, COMMAND_NAMES))}`
}

function didYouMean(name: string | undefined): string {
  return name === undefined ? `give one of ${COMMAND_NAMES.join(', ')}` : `did you mean ${name}?`
}

/**
 * One line per unknown option and per surplus argument. The word after an unknown option may be its value, so it is not
 * reported.
 */
export function strayProblems(command: CliCommand, rest: readonly string[]): string[] {
  return rest.flatMap((text, index) => {
    if (isOption(text)) return [unknownOption(command, text)]
    if (isOption(rest[index - 1] ?? '')) return []
    if (looksLikeSecretKey(text)) return [MISPLACED_KEY]
    return [`unexpected argument ${quote(text)}: ${command} takes ${takes(command)} only`]
  })
}

function takes(command: CliCommand): string {
  const { argument }: CommandSpec = COMMANDS[command]
  return argument === undefined ? 'options' : `one ${argument.name} and options`
}

function unknownOption(command: CliCommand, text: string): string {
  const [flag = ''] = text.split('=', 1)
  const elsewhere = ALL_OPTIONS.find((spec) => spec.flag === flag)
  if (elsewhere?.commands.includes(command)) return `${flag} is a switch: it takes no value`
  if (elsewhere !== undefined) return `${flag} is not an option of ${command}, only of ${elsewhere.commands.join(', ')}`
  const flags = optionsOf(command).map((spec) => spec.flag.slice(2))
  const similar = suggestSimilar(flag.replace(/^-+/, ''), flags)
  return `unknown option ${quote(flag)}${similar === undefined ? '' : `: did you mean --${similar}?`}`
}

function quote(text: string): string {
  return `"${escapeForTerminal(text, { maxLength: 100 })}"`
}
