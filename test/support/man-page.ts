import { COMMAND_NAMES, COMMANDS, type CliCommand, type CommandSpec } from '../../src/cli/parse/command-table.ts'
import {
  ALL_OPTIONS,
  CHOOSERS,
  envNameOf,
  SECRET_VARIABLES,
  type OptionSpec,
} from '../../src/cli/parse/option-table.ts'
import { termOfArgument } from '../../src/cli/parse/program.ts'
import { EXIT_CODES } from '../../src/cli/exit-codes.ts'

/** The manual page (`man/ngit-sync.1`) in roff, from the tables of which the help is made. */
export function buildManPage(version: string): string {
  return [
    '.\\" Made by `npm run man` from the tables of commands and options. Do not edit.',
    `.TH NGIT\\-SYNC 1 "" "ngit\\-sync ${roff(version)}" "User Commands"`,
    ...section('NAME', 'ngit\\-sync \\- bring a Nostr git relay up to date after an outage, and prove it'),
    ...section('SYNOPSIS', ...synopsis()),
    ...section('DESCRIPTION', ...DESCRIPTION),
    ...section('COMMANDS', ...COMMAND_NAMES.flatMap(commandLines)),
    ...section('OPTIONS', ...optionLines()),
    ...section('CONFIGURATION', ...CONFIGURATION),
    ...section('ENVIRONMENT', ...environment()),
    ...section('FILES', ...files()),
    ...section(
      'EXIT STATUS',
      ...EXIT_CODES.flatMap(({ code, word, meaning }) => tagged(`${code}`, `${word}: ${meaning}`)),
    ),
    ...section('EXAMPLES', ...COMMAND_NAMES.flatMap(exampleLines)),
    ...section('SEE ALSO', roff('git(1), systemd.timer(5), crontab(5); docs/ in the package')),
    '',
  ].join('\n')
}

const DESCRIPTION = [
  roff(
    'Reads announcements, repositories and threads (NIP-34) from the sources to their end, publishes the events that ' +
      'the target lacks, checks that the target serves them, and prints a report. A source or target is a relay ' +
      '(ws://, wss://), a file with one JSON event per line (optionally .gz), or - for standard input or output.',
  ),
  '.PP',
  roff(
    'Exit 0 means that every source was read to its end, over the range given in the report, and that the target holds ' +
      'every event or refused it for good, with the reason shown.',
  ),
]

const CONFIGURATION = [
  roff(
    'A file in YAML or JSON with two parts: defaults, and profiles, which are named sets of options over the defaults. ' +
      'Keys are the long names of the options without their dashes. Repeatable options take a list, switches true or ' +
      'false. Names of files are relative to the file that they stand in. The command line wins over the environment, ' +
      'that over the profile, and that over the defaults. ngit-sync config shows the result. Secrets do not belong in it.',
  ),
  '.PP',
  '.nf',
  ...[
    'defaults:',
    '  source: [wss://one.example, wss://two.example]',
    'profiles:',
    '  nightly:',
    '    target: ws://localhost:7443',
    '    service: wss://git.example.org',
    '    max-duration: 50m',
  ].map(roff),
  '.fi',
]

function section(name: string, ...lines: readonly string[]): string[] {
  return [`.SH ${name}`, ...lines]
}

function synopsis(): string[] {
  return COMMAND_NAMES.flatMap((name) => {
    const { argument }: CommandSpec = COMMANDS[name]
    const rest = argument === undefined ? '' : ` \\fI${roff(termOfArgument(argument))}\\fR`
    return [`\\fBngit\\-sync ${roff(name)}\\fR${rest} [\\fIoptions\\fR]`, '.br']
  })
}

function commandLines(name: CliCommand): string[] {
  const { summary, description }: CommandSpec = COMMANDS[name]
  return tagged(name, `${summary}. ${description}`)
}

/** The options by their groups, each with the commands that take it. */
function optionLines(): string[] {
  const groups = [...new Set(ALL_OPTIONS.map(({ group }) => group))]
  return groups.flatMap((group) => [
    `.SS ${roff(group)}`,
    ...ALL_OPTIONS.filter((spec) => spec.group === group).flatMap(describeOption),
  ])
}

function describeOption(spec: OptionSpec): string[] {
  const { flag, short, value, repeatable, help, fallback, commands } = spec
  const names = [...(short === null ? [] : [short]), flag].map((name) => `\\fB${roff(name)}\\fR`).join(', ')
  const argument = value === null ? '' : ` \\fI${roff(value)}\\fR${repeatable ? '...' : ''}`
  const standard = fallback === null ? '' : ` Default: ${fallback}.`
  return ['.TP', `${names}${argument}`, roff(`${help}.${standard} (${commands.join(', ')})`)]
}

function environment(): string[] {
  const example = ALL_OPTIONS.find(({ flag }) => flag === '--quick-window') ?? CHOOSERS[0]
  const name = example === undefined ? '' : `${example.flag} is ${envNameOf(example)}`
  return [
    ...tagged(
      'NGIT_SYNC_…',
      `every option: ${name}. A list is separated by commas or spaces; a switch is true or false.`,
    ),
    ...tagged(SECRET_VARIABLES.key, 'the secret key for relays that ask for authentication (NIP-42).'),
    ...tagged(SECRET_VARIABLES.password, 'the password of an ncryptsec1… key.'),
    ...tagged('NO_COLOR', 'no colours.'),
  ]
}

function files(): string[] {
  return [
    ...tagged(
      '$XDG_CONFIG_HOME/ngit-sync/config.yaml',
      'the configuration (default: below ~/.config), or config.json.',
    ),
    ...tagged('/etc/ngit-sync/config.yaml', 'the configuration where the user has none, or config.json.'),
    ...tagged('$XDG_STATE_HOME/ngit-sync/state.db', 'the state (default: below ~/.local/state).'),
  ]
}

function exampleLines(name: CliCommand): string[] {
  return COMMANDS[name].examples.flatMap(({ line, does }) => [
    '.PP',
    roff(does),
    '.PP',
    '.nf',
    roff(`  ${line}`),
    '.fi',
  ])
}

function tagged(tag: string, words: string): string[] {
  return ['.TP', `\\fB${roff(tag)}\\fR`, roff(words)]
}

/** A leading dot or quote would be a request. */
function roff(words: string): string {
  const escaped = words.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll('…', '...').replaceAll("'", '\\(aq')
  return escaped.replace(/^[.]/, '\\&.')
}
