import type { UnixSeconds } from '../../time.ts'
import { COMMAND_NAMES, COMMANDS, type CliCommand, type CommandSpec } from './command-table.ts'
import { escapeForTerminal } from '../escape.ts'
import { ALL_OPTIONS, optionsOf } from './option-table.ts'
import type { ParsedOptions } from './options.ts'
import { looksLikeSecretKey } from './parse-secret.ts'
import { readInvocation, type Invocation } from './program.ts'
import type { Environment } from './raw-values.ts'
import { renderUsageProblems } from '../render/render-error.ts'
import { suggestSimilar } from '../../scope/suggest.ts'

/** The parsed command line: a command with its options, or a text to print before exiting. */
export type CommandLine =
  | ParsedOptions
  | { readonly type: 'text'; readonly text: string; readonly exit: 0 | 2; readonly stream: 'stdout' | 'stderr' }

const MISPLACED_KEY =
  'a secret key does not belong on the command line, where every user of the machine sees it: give --key-file'

/**
 * Parses the command line (`argv` without node and script) and the environment. Never throws for wrong usage: returns a
 * text for standard error that lists every problem. Loads the parsers, and nostr-tools with them, only if there is a
 * command.
 */
export async function parseCommandLine(
  argv: readonly string[],
  env: Environment,
  now: UnixSeconds,
  { version, width = 80 }: { version: string; width?: number },
): Promise<CommandLine> {
  const invocation = readInvocation(argv, { version, width })
  if (invocation.type === 'text') return textLine(invocation.text, invocation.exit)
  if (invocation.type === 'no-command') return withoutCommand(invocation)
  const { command, flags, rest } = invocation
  const { parseOptions } = await import('./options.ts')
  const { argument, stray } = takeArgument(command, rest)
  const parsed = parseOptions({ command, argument, flags, env, now, problems: strayProblems(command, stray) })
  return parsed instanceof Error ? textLine(renderUsageProblems(parsed.problems, command), 2) : parsed
}

function textLine(text: string, exit: 0 | 2): CommandLine {
  return { type: 'text', text, exit, stream: exit === 0 ? 'stdout' : 'stderr' }
}

function withoutCommand({ rest, help }: Extract<Invocation, { type: 'no-command' }>): CommandLine {
  const [first] = rest
  if (first === undefined) return textLine(help, 2)
  const problem = first.startsWith('-')
    ? `no command before ${quote(first)}: give one of ${COMMAND_NAMES.join(', ')}`
    : `unknown command ${quote(first)}: ${didYouMean(suggestSimilar(first, COMMAND_NAMES))}`
  return textLine(renderUsageProblems([problem]), 2)
}

function didYouMean(name: string | undefined): string {
  return name === undefined ? `give one of ${COMMAND_NAMES.join(', ')}` : `did you mean ${name}?`
}

/** Takes the argument of the command from the leftover words: the first word that no unknown option may claim. */
function takeArgument(command: CliCommand, rest: readonly string[]): { argument?: string; stray: readonly string[] } {
  const { argument: wanted }: CommandSpec = COMMANDS[command]
  if (wanted === undefined) return { stray: rest }
  const index = rest.findIndex((text, at) => !isOption(text) && !isOption(rest[at - 1] ?? ''))
  const argument = rest[index]
  return argument === undefined ? { stray: rest } : { argument, stray: rest.toSpliced(index, 1) }
}

/**
 * One line per unknown option and per surplus argument. The word after an unknown option may be its value, so it is not
 * reported.
 */
function strayProblems(command: CliCommand, rest: readonly string[]): string[] {
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

function isOption(text: string): boolean {
  return text.length > 1 && text.startsWith('-')
}

function quote(text: string): string {
  return `"${escapeForTerminal(text, { maxLength: 100 })}"`
}
