import { UsageError } from '../../errors.ts'
import type { ConnectionOptions, PacingOptions, Part, RunOptions } from '../../report/run-options.ts'
import type { UnixSeconds } from '../../time.ts'
import { escapeForTerminal } from '../escape.ts'
import { envNameOf, OPTIONS, optionsOf, SECRET_VARIABLES, type OptionSpec } from './option-table.ts'
import { createOptionReader, type OptionReader } from './option-reader.ts'
import { parseEndpoint, parseFileName, parseRelay } from './parse-endpoint.ts'
import { parseListen, type ListenAddress } from './parse-listen.ts'
import { parseInteger, parsePart, parseRate, parseRunDurationMs, parseTimeoutMs } from './parse-quantity.ts'
import { readMerge, type MergeOptions } from './merge-options.ts'
import { readMonitoring, type MonitoringOptions } from './monitoring-options.ts'
import { parseSecretFileName } from './parse-secret.ts'
import type { KeyPlace } from '../read-key.ts'
import { readCheck, readReportFile, type CheckOptions } from './check-options.ts'
import { readWhy, type WhyOptions } from './why-options.ts'
import { conflict } from './conflict.ts'
import { parseChoice } from './parsed.ts'
import { readRun } from './read-run.ts'
import { misspeltVariables, readEnvironment, resolveLayers, type Environment, type RawValues } from './raw-values.ts'
import type { CliCommand } from './command-table.ts'

/** What to print. `color` false means never; true means only on a terminal. */
export type OutputOptions = {
  readonly json: boolean
  readonly quiet: boolean
  readonly verbose: boolean
  readonly color: boolean
}

const SHELLS = ['bash', 'zsh', 'fish'] as const

/** A shell whose completions there are. */
export type Shell = (typeof SHELLS)[number]

/** What `status` shows besides the summary. */
export type StatusOptions = { readonly parked: boolean; readonly refused: boolean }

/** A command with its options, parsed and checked. `stateFile` undefined means the default place. */
export type ParsedOptions =
  | {
      readonly type: 'run'
      readonly options: RunOptions
      readonly connection: ConnectionOptions
      readonly pacing: PacingOptions
      readonly key: KeyPlace
      readonly output: OutputOptions
      readonly monitoring: MonitoringOptions
      readonly stateFile: string | undefined
      /** The file for the report as a page: `.html`, `.htm` or `.md`. */
      readonly reportFile: string | undefined
      /** Only for `serve`: where it listens. */
      readonly listen: ListenAddress | undefined
      /** Only for `check`. */
      readonly check: CheckOptions | undefined
    }
  | {
      readonly type: 'status'
      /** Only this target; undefined means all. */
      readonly target: string | undefined
      /** Only this shard of it; undefined means all. */
      readonly shard: Part | undefined
      readonly list: StatusOptions
      readonly output: OutputOptions
      readonly stateFile: string | undefined
    }
  | {
      readonly type: 'relay'
      readonly url: string
      readonly connection: ConnectionOptions
      readonly key: KeyPlace
      readonly output: OutputOptions
    }
  | (WhyOptions & {
      readonly type: 'why'
      readonly connection: ConnectionOptions
      readonly key: KeyPlace
      readonly output: OutputOptions
      readonly stateFile: string | undefined
    })
  | (MergeOptions & { readonly type: 'merge'; readonly output: OutputOptions })
  | { readonly type: 'completion'; readonly shell: Shell }
  | { readonly type: 'demo'; readonly output: OutputOptions }

/** Every command but `config`, which only shows options. */
export type ActingCommand = Exclude<CliCommand, 'config'>

/** The inputs of `parseOptions`. `problems`: known problems of the command line. */
export type OptionsInput = {
  readonly command: ActingCommand
  /** The positional argument of the command. */
  readonly argument?: string | undefined
  /** The positional arguments of a command that takes several. */
  readonly words?: readonly string[]
  readonly flags: RawValues
  readonly env: Environment
  /** The profile over the defaults of the configuration file. */
  readonly settings?: RawValues
  /** The profiles that the file has, for a hint. */
  readonly profiles?: readonly string[]
  readonly now: UnixSeconds
  readonly problems: readonly string[]
}

/**
 * Parses the options of a command from all layers; returns every problem if there are any. Flags win over the
 * environment, and that over the configuration file.
 */
export function parseOptions(input: OptionsInput): ParsedOptions | UsageError {
  const problems = [...input.problems, ...misspeltVariables(input.env)]
  const reader = createOptionReader(layersOf(input), problems)
  const parsed = readCommand(input.command, { ...input, reader, problems })
  return problems.length > 0 ? new UsageError(problems) : parsed
}

/** The problems of the values that a command would use, whatever else it needs. */
export function problemsOfValues(input: OptionsInput): readonly string[] {
  const problems: string[] = []
  readCommand(input.command, { ...input, reader: createOptionReader(layersOf(input), problems), problems: [] })
  return problems
}

type LayersInput = Pick<OptionsInput, 'flags' | 'env' | 'settings'> & { readonly command: CliCommand }

/** The raw values that a command uses, from all layers. */
export function layersOf({ command, flags, env, settings = new Map() }: LayersInput): RawValues {
  return resolveLayers([flags, readEnvironment(command, env), takenBy(command, settings, env)])
}

/** A key in the environment wins over a file that the configuration names. */
function takenBy(command: CliCommand, settings: RawValues, env: Environment): RawValues {
  const taken = optionsOf(command)
  const isReplaced = (spec: OptionSpec): boolean =>
    (spec === OPTIONS.keyFile && isSet(env[SECRET_VARIABLES.key])) ||
    (spec === OPTIONS.keyPasswordFile && isSet(env[SECRET_VARIABLES.password]))
  return new Map([...settings].filter(([spec]) => taken.includes(spec) && !isReplaced(spec)))
}

function isSet(variable: string | undefined): boolean {
  return (variable ?? '') !== ''
}

type Reading = Pick<OptionsInput, 'argument' | 'words' | 'env' | 'now' | 'profiles'> & {
  readonly reader: OptionReader
  readonly problems: string[]
}

function readCommand(command: ActingCommand, reading: Reading): ParsedOptions {
  const { reader } = reading
  const output = readOutput(reading)
  if (command === 'demo') return { type: 'demo', output }
  if (command === 'merge-reports') return { type: 'merge', ...readMerge(reading), output }
  if (command === 'completion') return { type: 'completion', shell: readShell(reading) }
  if (command === 'relay') {
    const url = readUrl(reading)
    return { type: 'relay', url, connection: readConnection(reader), key: readKeyPlace(reading), output }
  }
  const stateFile = reader.one(OPTIONS.state, parseFileName)
  if (command === 'status') {
    const list = { parked: reader.isOn(OPTIONS.parked), refused: reader.isOn(OPTIONS.refused) }
    return { type: 'status', ...readStatusEnd(reading), list, output, stateFile }
  }
  if (command === 'why') {
    const [connection, key] = [readConnection(reader), readKeyPlace(reading)]
    return { type: 'why', ...readWhy(reading), connection, key, output, stateFile }
  }
  const options = readRun(command, reading)
  const listen = command === 'serve' ? readListen(options, reading) : undefined
  const check = command === 'check' ? readCheck(options, reading) : undefined
  const [connection, pacing, key] = [readConnection(reader), readPacing(reader), readKeyPlace(reading)]
  const monitoring = readMonitoring(reader)
  const reportFile = readReportFile(options, check, reading)
  return { type: 'run', options, connection, pacing, key, output, monitoring, stateFile, reportFile, listen, check }
}

function readStatusEnd({ reader, problems }: Reading): { target: string | undefined; shard: Part | undefined } {
  const [target, shard] = [reader.one(OPTIONS.target, parseEndpoint), reader.one(OPTIONS.shard, parsePart)]
  if (shard !== undefined && target === undefined)
    problems.push(`${reader.originOf(OPTIONS.shard) ?? ''} of which target? Give ${OPTIONS.target.flag}`)
  return { target, shard }
}

/** A file or a stream takes nothing by itself. */
function readListen({ target }: RunOptions, { reader, problems }: Reading): ListenAddress {
  if (target !== '' && !/^wss?:\/\//.test(target))
    problems.push(`${reader.originOf(OPTIONS.target) ?? ''} is no relay: serve needs one that takes events by itself`)
  return reader.withDefault(OPTIONS.listen, parseListen)
}

function readShell({ argument, problems }: Reading): Shell {
  const parsed = parseChoice(...SHELLS)(argument ?? '')
  if (parsed.type === 'ok') return parsed.value
  const shown = argument === undefined ? 'no shell' : `the shell "${escapeForTerminal(argument, { maxLength: 100 })}"`
  if (argument !== undefined || problems.length === 0) {
    problems.push(argument === undefined ? `${shown}: give one of ${SHELLS.join(', ')}` : `${shown} ${parsed.problem}`)
  }
  return 'bash'
}

/** Reports a missing URL only if there is no other problem, because an unknown option may have claimed it. */
function readUrl({ argument, problems }: Reading): string {
  if (argument === undefined) {
    if (problems.length === 0) problems.push('no relay: give its URL, as in ngit-sync relay wss://relay.example.org')
    return ''
  }
  const parsed = parseRelay(argument)
  if (parsed.type === 'ok') return parsed.value
  const shown = parsed.secret ? 'the URL' : `"${escapeForTerminal(argument, { maxLength: 100 })}"`
  problems.push(`${shown} ${parsed.problem}`)
  return ''
}

function readPacing(reader: OptionReader): PacingOptions {
  return {
    rate: reader.one(OPTIONS.rate, parseRate) ?? 'known',
    connections: reader.withDefault(OPTIONS.connections, parseInteger({ min: 1, max: 16 })),
    maxDurationMs: reader.one(OPTIONS.maxDuration, parseRunDurationMs),
  }
}

/** The key itself is read later, once the command line is valid. */
function readKeyPlace({ reader, env, problems }: Reading): KeyPlace {
  const keyFile = reader.one(OPTIONS.keyFile, parseSecretFileName)
  const variable = envNameOf(OPTIONS.keyFile)
  const isGivenTwice = reader.originOf(OPTIONS.keyFile) === variable && (env[SECRET_VARIABLES.key] ?? '') !== ''
  if (isGivenTwice) problems.push(`${variable} and ${SECRET_VARIABLES.key} exclude each other: give one of them`)
  return { keyFile, passwordFile: reader.one(OPTIONS.keyPasswordFile, parseSecretFileName) }
}

function readOutput({ reader, env, problems }: Reading): OutputOptions {
  const [quiet, verbose] = [reader.isOn(OPTIONS.quiet), reader.isOn(OPTIONS.verbose)]
  if (quiet && verbose) problems.push(conflict(reader, OPTIONS.quiet, OPTIONS.verbose))
  const isNoColorSet = (env['NO_COLOR'] ?? '') !== ''
  return { json: reader.isOn(OPTIONS.json), quiet, verbose, color: !reader.isOn(OPTIONS.noColor) && !isNoColorSet }
}

function readConnection(reader: OptionReader): ConnectionOptions {
  return {
    retries: reader.withDefault(OPTIONS.retries, parseInteger({ min: 0, max: 100 })),
    connectTimeoutMs: reader.withDefault(OPTIONS.connectTimeout, parseTimeoutMs),
    idleTimeoutMs: reader.withDefault(OPTIONS.idleTimeout, parseTimeoutMs),
    okTimeoutMs: reader.withDefault(OPTIONS.okTimeout, parseTimeoutMs),
    compress: reader.withDefault(OPTIONS.compress, parseChoice('auto', 'always', 'never')),
  }
}
