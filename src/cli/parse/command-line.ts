import type { UnixSeconds } from '../../time.ts'
import { COMMANDS, type CliCommand, type CommandSpec } from './command-table.ts'
import { isOption } from './option-table.ts'
import type { ConfigLine, ProfilesLine } from '../config/parse-profiles.ts'
import type { ParsedOptions } from './options.ts'
import { readInvocation, type Invocation } from './program.ts'
import type { ScriptWish } from '../script-wish.ts'
import type { Environment } from './raw-values.ts'

/** The parsed command line: a command with its options, or a text to print before exiting. */
export type CommandLine =
  | ParsedOptions
  | ProfilesLine
  | ConfigLine
  /** `--version --verbose` */
  | { readonly type: 'version' }
  /** For the completions: `what` to list, given the words typed so far. */
  | { readonly type: 'complete'; readonly words: readonly string[] }
  | {
      readonly type: 'text'
      readonly text: string
      readonly exit: 0 | 2
      readonly stream: 'stdout' | 'stderr'
      /** What is wrong, for `--json`; empty when a help was asked for. */
      readonly problems: readonly string[]
      readonly wish?: ScriptWish | undefined
    }

type TextLine = Extract<CommandLine, { type: 'text' }>

/** `width` is in columns of the help; `warn` takes one line without its end. */
export type ParsingOptions = {
  readonly version: string
  readonly width?: number
  readonly warn?: (line: string) => void
}

/** The hidden command that the completion scripts ask for names. */
const COMPLETE = '__complete'

/**
 * Parses the command line (`argv` without node and script) and the environment. Never throws for wrong usage: returns a
 * text for standard error that lists every problem. Loads the parsers, and nostr-tools with them, only if there is a
 * command, and what describes a problem only if there is one.
 */
export async function parseCommandLine(
  argv: readonly string[],
  env: Environment,
  now: UnixSeconds,
  { version, width = 80, warn = ignore }: ParsingOptions,
): Promise<CommandLine> {
  const [first, ...others] = argv
  if (first === COMPLETE) return { type: 'complete', words: others }
  if (isVersionAtLength(argv)) return { type: 'version' }
  const invocation = readInvocation(argv, { version, width })
  if (invocation.type === 'text') return textLine(invocation.text, invocation.exit)
  if (invocation.type === 'no-command') return withoutCommand(invocation)
  const { command, flags, rest } = invocation
  const { words, stray } = takeArguments(command, rest)
  const problems = stray.length === 0 ? [] : (await import('./stray-words.ts')).strayProblems(command, stray)
  const { parseProfiles } = await import('../config/parse-profiles.ts')
  const parsed = await parseProfiles({ command, argument: words[0], words, flags, env, now, problems, warn })
  return 'problems' in parsed ? { ...(await usageLine(parsed.problems, command)), wish: parsed.wish } : parsed
}

function ignore(): void {
  // What is only warned of does not matter where nobody listens.
}

/** `--version` with `--verbose`, in either order and spelling, and nothing else. */
function isVersionAtLength(argv: readonly string[]): boolean {
  const is = (names: readonly string[]): boolean => argv.some((word) => names.includes(word))
  return argv.length === 2 && is(['--version', '-V']) && is(['--verbose', '-v'])
}

function textLine(text: string, exit: 0 | 2, problems: readonly string[] = []): TextLine {
  return { type: 'text', text, exit, stream: exit === 0 ? 'stdout' : 'stderr', problems }
}

async function usageLine(problems: readonly string[], command?: CliCommand): Promise<TextLine> {
  const { renderUsageProblems } = await import('../render/render-error.ts')
  return textLine(renderUsageProblems(problems, command), 2, problems)
}

async function withoutCommand({ rest, help }: Extract<Invocation, { type: 'no-command' }>): Promise<CommandLine> {
  const [first] = rest
  if (first === undefined) return textLine(help, 2, ['no command'])
  const { noCommandProblem } = await import('./stray-words.ts')
  return usageLine([noCommandProblem(first)])
}

/** Takes the arguments of the command from the leftover words: those that no unknown option may claim. */
function takeArguments(
  command: CliCommand,
  rest: readonly string[],
): { words: readonly string[]; stray: readonly string[] } {
  const { argument }: CommandSpec = COMMANDS[command]
  const most = argument === undefined ? 0 : argument.repeatable === true ? Infinity : 1
  const isFree = (text: string, at: number): boolean => !isOption(text) && !isOption(rest[at - 1] ?? '')
  const taken = rest.flatMap((text, at) => (isFree(text, at) ? [at] : [])).slice(0, most)
  return { words: taken.flatMap((at) => rest[at] ?? []), stray: rest.filter((_, at) => !taken.includes(at)) }
}
