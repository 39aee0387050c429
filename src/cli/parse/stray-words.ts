import { COMMAND_NAMES, COMMANDS, type CliCommand, type CommandSpec } from './command-table.ts'
import { escapeForTerminal } from '../escape.ts'
import { ALL_OPTIONS, isOption, optionsOf } from './option-table.ts'
import { looksLikeSecretKey } from './parse-secret.ts'
import { suggestSimilar } from '../../scope/suggest.ts'

const MISPLACED_KEY =
  'a secret key does not belong on the command line, where every user of the machine sees it: give --key-file'

/** What other programs call it: rclone, restic, git, strfry, nak. */
const COMMANDS_ELSEWHERE: Readonly<Record<string, CliCommand>> = {
  ...{ copy: 'catchup', sync: 'catchup', bisync: 'catchup', pull: 'catchup', push: 'catchup', mirror: 'catchup' },
  ...{ backup: 'catchup', restore: 'catchup', fetch: 'catchup', copyto: 'catchup', move: 'catchup', run: 'catchup' },
  ...{ diff: 'check', compare: 'check', verify: 'check', cryptcheck: 'check', req: 'check', stats: 'status' },
  ...{ ls: 'status', list: 'status', snapshots: 'status', log: 'status', info: 'relay', ping: 'relay' },
  ...{ explain: 'why', trace: 'why', find: 'why', show: 'why' },
}

/** What their options are called here, or why there are none such. */
const OPTIONS_ELSEWHERE: Readonly<Record<string, string>> = {
  '-P': 'progress shows by itself when standard error is a terminal',
  '--progress': 'progress shows by itself when standard error is a terminal',
  '--transfers': 'give --connections N',
  '--bwlimit': 'give --rate 60/m',
  '--tpslimit': 'give --rate 60/m',
  '--limit-upload': 'give --rate 60/m',
  '--max-transfer': 'give --max-bytes N',
  '--max-age': 'give --since T',
  '--min-age': 'give --until T',
  '--from': 'give --source URL',
  '--to': 'give --target URL',
  '--relay': 'give --source URL or --target URL',
  '--repository': 'give --repo R',
  '--include': 'give --repo R or --author NPUB',
  '--contimeout': 'give --connect-timeout D',
  '--timeout': 'give --idle-timeout D',
  '--password-file': 'give --key-password-file FILE',
  '--checksum': 'every event is compared by its id anyway',
  '-i': 'nothing is asked; --dry-run shows what would be sent',
  '--interactive': 'nothing is asked; --dry-run shows what would be sent',
  '--what-if': 'give --dry-run',
  '--force': 'nothing needs force; --full reads everything',
  '-f': 'nothing needs force; --full reads everything',
  '-c': 'give --config FILE',
  '-p': 'give --profile NAME',
  '-s': 'give --source URL',
  '-t': 'give --target URL',
  '-j': 'give --json',
}

/** Says what is wrong with a command line whose first word, this one, is not a command. */
export function noCommandProblem(first: string): string {
  return first.startsWith('-')
    ? `no command before ${quote(first)}: give one of ${COMMAND_NAMES.join(', ')}`
    : `unknown command ${quote(first)}: ${didYouMean(meantCommand(first))}`
}

function meantCommand(word: string): string | undefined {
  const name = word.toLowerCase()
  return Object.hasOwn(COMMANDS_ELSEWHERE, name) ? COMMANDS_ELSEWHERE[name] : suggestSimilar(word, COMMAND_NAMES)
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
  if (argument === undefined) return 'options'
  return argument.repeatable === true ? `${argument.name}s and options` : `one ${argument.name} and options`
}

function unknownOption(command: CliCommand, text: string): string {
  const [flag = ''] = text.split('=', 1)
  const elsewhere = ALL_OPTIONS.find((spec) => spec.flag === flag || spec.short === flag)
  if (elsewhere !== undefined && optionsOf(command).includes(elsewhere)) return `${flag} is a switch: it takes no value`
  if (elsewhere !== undefined) return `${flag} is not an option of ${command}, only of ${elsewhere.commands.join(', ')}`
  if (Object.hasOwn(OPTIONS_ELSEWHERE, flag)) return `unknown option ${quote(flag)}: ${OPTIONS_ELSEWHERE[flag] ?? ''}`
  const flags = optionsOf(command).map((spec) => spec.flag.slice(2))
  const similar = suggestSimilar(flag.replace(/^-+/, ''), flags)
  return `unknown option ${quote(flag)}${similar === undefined ? '' : `: did you mean --${similar}?`}`
}

function quote(text: string): string {
  return `"${escapeForTerminal(text, { maxLength: 100 })}"`
}
