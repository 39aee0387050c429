import { UsageError } from '../../errors.ts'
import type { ConnectionOptions, PacingOptions, RunOptions, ScopeRequest } from '../../report/run-options.ts'
import type { UnixSeconds } from '../../time.ts'
import { escapeForTerminal } from '../escape.ts'
import { envNameOf, OPTIONS, optionsOf, SECRET_VARIABLES, type OptionSpec } from './option-table.ts'
import { createOptionReader, type OptionReader } from './option-reader.ts'
import { isSameEndpoint, parseEndpoint, parseFileName, parseRelay, parseService } from './parse-endpoint.ts'
import {
  parseBytes,
  parseDurationSeconds,
  parseInteger,
  parseIntervalSeconds,
  parseRate,
  parseRunDurationMs,
  parseTimeoutMs,
} from './parse-quantity.ts'
import { readMonitoring, type MonitoringOptions } from './monitoring-options.ts'
import { parseAuthor, parseRepository } from './parse-repository.ts'
import { parseSecretFileName } from './parse-secret.ts'
import { parseTime } from './parse-time.ts'
import type { KeyPlace } from '../read-key.ts'
import { LIST_NAMES, type ListName } from '../difference-lists.ts'
import { parseChoice, wrong, type Parsed } from './parsed.ts'
import {
  keyOf,
  misspeltVariables,
  readEnvironment,
  resolveLayers,
  type Environment,
  type RawValues,
} from './raw-values.ts'
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

/** What `check` does besides comparing. */
export type CheckOptions = {
  /** Whether the sources are also compared with the target. */
  readonly both: boolean
  /** The JSONL file for the missing events; `-` is standard output. */
  readonly output: string | undefined
  /** Files for lists of differences; `-` is standard output. */
  readonly lists: readonly { readonly name: ListName; readonly flag: string; readonly file: string }[]
}

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
      /** Only for `check`. */
      readonly check: CheckOptions | undefined
    }
  | {
      readonly type: 'status'
      /** Only this target; undefined means all. */
      readonly target: string | undefined
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
  | { readonly type: 'completion'; readonly shell: Shell }
  | { readonly type: 'demo'; readonly output: OutputOptions }

/** Every command but `config`, which only shows options. */
export type ActingCommand = Exclude<CliCommand, 'config'>

/** The inputs of `parseOptions`. `problems`: known problems of the command line. */
export type OptionsInput = {
  readonly command: ActingCommand
  /** The positional argument of the command. */
  readonly argument?: string | undefined
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

type Reading = Pick<OptionsInput, 'argument' | 'env' | 'now' | 'profiles'> & {
  readonly reader: OptionReader
  readonly problems: string[]
}

function readCommand(command: ActingCommand, reading: Reading): ParsedOptions {
  const { reader } = reading
  const output = readOutput(reading)
  if (command === 'demo') return { type: 'demo', output }
  if (command === 'completion') return { type: 'completion', shell: readShell(reading) }
  if (command === 'relay') {
    const url = readUrl(reading)
    return { type: 'relay', url, connection: readConnection(reader), key: readKeyPlace(reading), output }
  }
  const stateFile = reader.one(OPTIONS.state, parseFileName)
  if (command === 'status') {
    const list = { parked: reader.isOn(OPTIONS.parked), refused: reader.isOn(OPTIONS.refused) }
    return { type: 'status', target: reader.one(OPTIONS.target, parseEndpoint), list, output, stateFile }
  }
  const options = readRun(command, reading)
  const check = command === 'check' ? readCheck(options, reading) : undefined
  const [connection, pacing, key] = [readConnection(reader), readPacing(reader), readKeyPlace(reading)]
  const monitoring = readMonitoring(reader)
  const reportFile = readReportFile(options, check, reading)
  return { type: 'run', options, connection, pacing, key, output, monitoring, stateFile, reportFile, check }
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

/** The page must not replace a file that the run reads or writes. */
function readReportFile(
  { sources, target }: RunOptions,
  check: CheckOptions | undefined,
  { reader, problems }: Reading,
): string | undefined {
  const file = reader.one(OPTIONS.report, parsePageName)
  const others = [...sources, target, check?.output, ...(check?.lists ?? []).map((list) => list.file)]
  if (file !== undefined && others.some((other) => other !== undefined && isSameEndpoint(other, file)))
    problems.push(`${reader.originOf(OPTIONS.report) ?? ''} names a file that is used otherwise: give another one`)
  return file
}

function parsePageName(text: string): Parsed<string> {
  if (!/\.(?:html?|md)$/i.test(text)) return wrong('is no page: give a name that ends in .html or .md')
  return parseFileName(text)
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
  }
}

function readRun(command: RunOptions['command'], reading: Reading): RunOptions {
  const { reader } = reading
  return {
    command,
    ...readEnds(command, reading),
    scope: readScope(reading),
    service: reader.one(OPTIONS.service, parseService),
    ...readRange(command, reading),
    quickWindowSeconds: reader.withDefault(OPTIONS.quickWindow, parseDurationSeconds),
    fullEverySeconds: reader.withDefault(OPTIONS.fullEvery, parseIntervalSeconds),
    overlapSeconds: reader.withDefault(OPTIONS.overlap, parseDurationSeconds),
    discovery: readDiscovery(reading),
    deletions: reader.withDefault(OPTIONS.deletions, parseChoice('apply', 'skip')),
    dryRun: command === 'check' || reader.isOn(OPTIONS.dryRun),
    // Events of any layer may be parked.
    followUps: command === 'retry' || reader.isOn(OPTIONS.followUps),
    listIds: reader.isOn(OPTIONS.ids),
    reopenRefused: reader.isOn(OPTIONS.refused),
    reconcile: !reader.isOn(OPTIONS.noReconcile),
    maxBytesPerSource: reader.withDefault(OPTIONS.maxBytes, parseBytes),
    forgetParkedSeconds: reader.withDefault(OPTIONS.forgetParked, parseDurationSeconds),
  }
}

/** `check` reads its target, and must not write to a file that it reads. */
function readCheck({ sources, target }: RunOptions, { reader, problems }: Reading): CheckOptions {
  const both = reader.isOn(OPTIONS.both)
  const output = reader.one(OPTIONS.output, parseFileName)
  const outputOrigin = reader.originOf(OPTIONS.output) ?? ''
  if (target === '-')
    problems.push(`${reader.originOf(OPTIONS.target) ?? ''} - cannot be read: check needs a relay or a file`)
  if (both && sources.includes('-')) {
    problems.push(
      `${reader.originOf(OPTIONS.both) ?? ''} reads each source twice, and standard input can be read once only`,
    )
  }
  if (output !== undefined && [...sources, target].some((end) => isSameEndpoint(end, output))) {
    problems.push(`${outputOrigin} names a file that is read: give another file for what is missing`)
  }
  return { both, output, lists: readLists([...sources, target], output, { reader, problems }) }
}

/** Each list has a file of its own, and at most one of all outputs goes to standard output. */
function readLists(
  ends: readonly string[],
  output: string | undefined,
  { reader, problems }: Pick<Reading, 'reader' | 'problems'>,
): CheckOptions['lists'] {
  const lists: { name: ListName; flag: string; file: string }[] = []
  for (const name of LIST_NAMES) {
    const spec = OPTIONS[name]
    const file = reader.one(spec, parseFileName)
    if (file === undefined) continue
    const taken = [...(output === undefined ? [] : [output]), ...lists.map((list) => list.file), ...ends]
    if (taken.some((other) => isSameEndpoint(other, file)))
      problems.push(`${reader.originOf(spec) ?? spec.flag} names a file that is used otherwise: give another one`)
    lists.push({ name, flag: spec.flag, file })
  }
  return lists
}

function readEnds(command: string, { reader, problems, profiles }: Reading): Pick<RunOptions, 'sources' | 'target'> {
  const sources = reader.many(OPTIONS.source, parseEndpoint)
  const target = reader.one(OPTIONS.target, parseEndpoint)
  const isRetry = command === 'retry'
  if (isRetry && target === '-') problems.push('nothing is parked for standard output: retry needs another target')
  if (!isRetry && reader.originOf(OPTIONS.source) === undefined)
    problems.push(missing('source', OPTIONS.source, profiles))
  if (reader.originOf(OPTIONS.target) === undefined) problems.push(missing('target', OPTIONS.target, profiles))
  if (target !== undefined && sources.some((source) => isSameEndpoint(source, target))) {
    problems.push(
      `${reader.originOf(OPTIONS.source) ?? ''} names the target itself: a source must be another relay or file`,
    )
  }
  return { sources, target: target ?? '' }
}

/** Options that modify `--discover` are an error without it, unless it was turned off explicitly. */
function readDiscovery({ reader, problems }: Reading): RunOptions['discovery'] {
  const max = reader.withDefault(OPTIONS.discoverMax, parseInteger({ min: 1, max: 1_000 }))
  const allowed = reader.many(OPTIONS.discoverAllow, parseChoice('private', 'insecure'))
  if (reader.isOn(OPTIONS.discover)) {
    return { max, allowPrivate: allowed.includes('private'), allowInsecure: allowed.includes('insecure') }
  }
  const isOff = reader.originOf(OPTIONS.discover) !== undefined
  for (const spec of isOff ? [] : [OPTIONS.discoverMax, OPTIONS.discoverAllow]) {
    const origin = reader.originOf(spec)
    if (origin !== undefined) problems.push(`${origin} has no effect without ${OPTIONS.discover.flag}: give that too`)
  }
  return undefined
}

function readScope({ reader, problems }: Reading): ScopeRequest {
  const addresses = reader.many(OPTIONS.repo, parseRepository)
  const authors = reader.many(OPTIONS.author, parseAuthor)
  const type = reader.withDefault(OPTIONS.scope, parseChoice('auto', 'listed', 'all'))
  const naming = [OPTIONS.repo, OPTIONS.author].find((spec) => reader.originOf(spec) !== undefined)
  if (naming === undefined) return { type }
  if (reader.originOf(OPTIONS.scope) !== undefined) problems.push(conflict(reader, OPTIONS.scope, naming))
  return { type: 'named', addresses, authors }
}

function readRange(command: string, { reader, now, problems }: Reading): Pick<RunOptions, 'since' | 'until' | 'full'> {
  const since = reader.one(OPTIONS.since, (text) => parseTime(text, now))
  const until = reader.one(OPTIONS.until, (text) => parseTime(text, now))
  const full = reader.isOn(OPTIONS.full)
  const [sinceOrigin, untilOrigin] = [reader.originOf(OPTIONS.since), reader.originOf(OPTIONS.until)]
  if (full && sinceOrigin !== undefined) problems.push(conflict(reader, OPTIONS.full, OPTIONS.since))
  if (since !== undefined && until !== undefined && since > until) {
    problems.push(`${sinceOrigin ?? ''} is later than ${untilOrigin ?? ''}: nothing lies between`)
  }
  if (command === 'backfill' && sinceOrigin === undefined && untilOrigin === undefined) {
    problems.push('no window: give --since, --until or both')
  }
  return { since, until, full }
}

function missing(what: string, spec: OptionSpec, profiles: readonly string[] = []): string {
  const shown = profiles.slice(0, 5).map((name) => escapeForTerminal(name, { maxLength: 64 }))
  const hint = profiles.length === 0 ? '' : `; or name a profile: --profile ${shown.join(', ')}`
  return `no ${what}: give ${spec.flag}, ${envNameOf(spec)}, or "${keyOf(spec)}" in the configuration file${hint}`
}

function conflict(reader: OptionReader, a: OptionSpec, b: OptionSpec): string {
  return `${reader.originOf(a) ?? a.flag} and ${reader.originOf(b) ?? b.flag} exclude each other: give one of them`
}
