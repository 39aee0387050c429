import { Command, CommanderError, Option } from 'commander'
import { COMMAND_NAMES, COMMANDS, type CliCommand, type CommandSpec } from './command-table.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { envNameOf, optionsOf, type OptionSpec } from './option-table.ts'
import type { RawValue } from './raw-values.ts'

/** The result of commander: a command with raw texts, or a text to print. */
export type Invocation =
  | {
      readonly type: 'command'
      readonly command: CliCommand
      readonly flags: ReadonlyMap<OptionSpec, RawValue>
      /** Unknown options and surplus arguments. */
      readonly rest: readonly string[]
    }
  | { readonly type: 'no-command'; readonly rest: readonly string[]; readonly help: string }
  | { readonly type: 'text'; readonly text: string; readonly exit: 0 | 2 }

/** The inputs of the help. `width` is in columns. */
export type ProgramOptions = { readonly version: string; readonly width: number }

/** Parses the command line (without node and script) with commander, which here neither prints nor exits. */
export function readInvocation(argv: readonly string[], options: ProgramOptions): Invocation {
  let text = ''
  let invocation: Invocation | undefined
  const program = buildProgram(options, argv, {
    print: (part) => void (text += part),
    found: (found) => void (invocation = found),
  })
  try {
    program.parse(argv, { from: 'user' })
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown
    return { type: 'text', text, exit: thrown.exitCode === 0 ? 0 : 2 }
  }
  if (invocation === undefined) program.outputHelp()
  return invocation ?? { type: 'no-command', rest: program.args, help: text }
}

type Sink = { print(text: string): void; found(invocation: Invocation): void }

function buildProgram({ version, width }: ProgramOptions, argv: readonly string[], { print, found }: Sink): Command {
  const program = new Command('ngit-sync')
    .description('Brings a Nostr git relay (NIP-34) up to date after an outage, and says what is still missing.')
    .version(version, '-V, --version', 'print the version; with --verbose also those of what it runs on')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .usage('<command> [options]')
    .exitOverride()
    .configureOutput({ writeOut: print, writeErr: print, getOutHelpWidth: () => width, getErrHelpWidth: () => width })
    .configureHelp({
      optionTerm: (option) => termOf(option),
      optionDescription: (option) => option.description,
    })
    .addHelpText('after', footer('every command'))
  acceptAnything(program).action(() => undefined)
  for (const name of COMMAND_NAMES) {
    const command = addCommand(program, name)
    if (argv.includes(name)) describeCommand(command, name, found)
  }
  return program
}

function addCommand(program: Command, name: CliCommand): Command {
  const { summary, argument }: CommandSpec = COMMANDS[name]
  const usage = argument === undefined ? '[options]' : `<${termOfArgument(argument)}> [options]`
  return acceptAnything(program.command(name)).summary(summary).usage(usage)
}

/** `EVENT`, or `FILE...` where there may be several. */
export function termOfArgument({ name, repeatable }: NonNullable<CommandSpec['argument']>): string {
  return repeatable === true ? `${name}...` : name
}

/** Adds what only the named command needs: its options and its help. */
function describeCommand(command: Command, name: CliCommand, found: Sink['found']): void {
  const spec: CommandSpec = COMMANDS[name]
  const texts = new Map<OptionSpec, string[]>()
  for (const option of optionsOf(name))
    command.addOption(buildOption(option, texts).hideHelp(!option.commands.includes(name)))
  const { argument } = spec
  // Only for the help; `parseCommandLine` reads positional words.
  if (argument !== undefined) command.argument(`[${termOfArgument(argument)}]`, argument.help)
  command.description(spec.description).addHelpText('after', `${examples(spec)}${footer(name, spec)}`)
  command.action(() => {
    const flags = new Map([...texts].map(([option, given]) => [option, { texts: given, origin: option.flag }]))
    found({ type: 'command', command: name, flags, rest: command.args })
  })
}

/** Accepts unknown options and surplus arguments, because `parseCommandLine` reports all problems at once. */
function acceptAnything(command: Command): Command {
  return command.allowUnknownOption().allowExcessArguments()
}

/**
 * Makes the value optional for commander, so a missing one becomes an empty text: `--target --json` is then a missing
 * value and a switch, not a target called `--json`.
 */
function buildOption(spec: OptionSpec, texts: Map<OptionSpec, string[]>): Option {
  const value = spec.value === null ? '' : ` [${spec.value}${spec.repeatable ? '...' : ''}]`
  const short = spec.short === null ? '' : `${spec.short}, `
  const option = new Option(`${short}${spec.flag}${value}`, describe(spec)).helpGroup(`${spec.group}:`)
  if (spec.value !== null) option.preset('')
  return option.argParser((text: string | undefined) => {
    texts.set(spec, [...(texts.get(spec) ?? []), text ?? 'true'])
    return true
  })
}

/** `--source <URL...>`, `--dry-run, -n`: the long name first, so that they stand in one column. */
function termOf({ flags, short, long }: Option): string {
  const isOurs = short !== undefined && short !== null && !['-h', '-V'].includes(short)
  return isOurs ? `${long ?? ''}, ${short}` : flags.replace('[', '<').replace(']', '>')
}

function describe(spec: OptionSpec): string {
  const fallback = spec.fallback === null ? '' : ` (default: ${spec.fallback})`
  return `${spec.help}${fallback} [${envNameOf(spec)}]`
}

function examples(spec: CommandSpec): string {
  return `\nExamples:\n${spec.examples.map(({ line, does }) => `  # ${does}\n  ${line}\n`).join('')}`
}

function footer(name: string, { exits, meanings = {} }: Partial<CommandSpec> = {}): string {
  const codes = EXIT_CODES.filter(({ code }) => exits === undefined || exits.includes(code) || code === 2 || code > 5)
  const lines = codes.map(
    ({ code, word, meaning }) => `  ${String(code).padEnd(4)} ${word.padEnd(12)} ${meanings[code] ?? meaning}`,
  )
  const precedence =
    '\nEvery option can also be given by the variable in brackets, and in a\n' +
    'configuration file (ngit-sync config). The command line wins, then the variable.\n'
  return `\nExit codes of ${name}:\n${lines.join('\n')}\n${precedence}`
}
