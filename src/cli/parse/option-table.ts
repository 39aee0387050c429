import { COMMAND_NAMES, type CliCommand } from './command-table.ts'

/** One option as data. Its environment variable follows from the flag: see `envNameOf`. */
export type OptionSpec = {
  readonly flag: `--${string}`
  /** One letter, where rclone and restic have the same one. */
  readonly short: `-${string}` | null
  /** The name of the value in the help; null for a switch. */
  readonly value: string | null
  /** Whether it takes several values: `--source A B`, `--source A --source B`, or `A,B` in the environment. */
  readonly repeatable: boolean
  readonly commands: readonly CliCommand[]
  /** The heading in the help. */
  readonly group: string
  readonly help: string
  /** The default as an operator would write it; null if there is none. */
  readonly fallback: string | null
  /** The value is a secret: nothing may repeat it. */
  readonly isSecret?: true
}

/** By the checkpoints. */
const UPDATES: readonly CliCommand[] = ['catchup', 'repair', 'serve']
const COPIES: readonly CliCommand[] = ['catchup', 'repair', 'backfill']
const RUNS: readonly CliCommand[] = [...COPIES, 'serve', 'check']
const SENDERS: readonly CliCommand[] = [...COPIES, 'retry']
/** Commands that compare with a scope. */
const JUDGES: readonly CliCommand[] = [...RUNS, 'why']
/** Commands that may be about one shard; one that serves the target serves it all. */
const SHARDED: readonly CliCommand[] = [...COPIES, 'check', 'retry', 'status', 'why']
const CONNECTS: readonly CliCommand[] = [...RUNS, 'retry', 'relay', 'why']
const REPORTS = COMMAND_NAMES.filter((name) => name !== 'completion')
const place = inGroup('Source and target', RUNS)
const content = inGroup('What to copy', RUNS)
const range = inGroup('How far back', RUNS)
const output = inGroup('Output', [...RUNS, 'retry'])
const behaviour = inGroup('Dealing with relays', RUNS)
const git = inGroup('Git data', ['catchup', 'repair', 'check'])
const sending = inGroup('How fast to send', [...SENDERS, 'serve'])
const identity = inGroup('Authentication', CONNECTS)
const configuration = inGroup('Configuration', [...CONNECTS, 'status', 'config'])
const monitoring = inGroup('Monitoring', [...RUNS, 'retry'])

/**
 * Every option of every command. A new option needs a row here and a line in `options.ts` that reads it. A default is
 * parsed like any other value.
 */
export const OPTIONS = {
  source: place({
    flag: '--source',
    value: 'URL',
    repeatable: true,
    commands: JUDGES,
    help: 'a relay (ws://, wss://) or JSONL file to read from, - for standard input; one or several',
  }),
  target: place({
    flag: '--target',
    value: 'URL',
    commands: [...JUDGES, 'retry', 'status'],
    help: 'the relay to bring up to date, or a JSONL file, - for standard output',
  }),
  service: place({
    flag: '--service',
    value: 'URL',
    commands: JUDGES,
    help: 'the public URL of the target, with its path if any, when you reach it by another name such as localhost',
  }),
  discover: place({
    flag: '--discover',
    help:
      'also read from relays and GRASP servers (in clone) that announcements in scope name: each only about the ' +
      'repositories that name it, and never with the key',
  }),
  discoverMax: place({
    flag: '--discover-max',
    value: 'N',
    fallback: '20',
    help: 'discover at most N sources',
  }),
  discoverAllow: place({
    flag: '--discover-allow',
    value: 'WHAT',
    repeatable: true,
    help:
      'private: also discover relays at loopback and private addresses; insecure: also ws:// without encryption ' +
      'at public addresses',
  }),
  state: place({
    flag: '--state',
    value: 'FILE',
    commands: [...JUDGES, 'retry', 'status'],
    help: "the state file (default: in ngit-sync/ under the user's state directory)",
  }),
  scope: content({
    flag: '--scope',
    value: 'auto|listed|all',
    commands: JUDGES,
    fallback: 'auto',
    help:
      'listed: the repositories that name the target in clone and relays; all: every repository; ' +
      'auto: listed when the target is a GRASP relay that is not an archive, else all',
  }),
  repo: content({
    flag: '--repo',
    value: 'R',
    repeatable: true,
    commands: JUDGES,
    help: 'only this repository: naddr, 30617:<public key>:<identifier>, npub/identifier or nostr:// clone URL',
  }),
  author: content({
    flag: '--author',
    value: 'NPUB',
    repeatable: true,
    commands: JUDGES,
    help: 'only the repositories of this author: npub or hex',
  }),
  listen: place({
    flag: '--listen',
    value: 'ADDRESS:PORT',
    commands: ['serve'],
    fallback: '127.0.0.1:7777',
    help:
      'serve at this address; others than this machine reach it only if you name an address that they reach; ' +
      'port 0: any free one',
  }),
  shard: content({
    flag: '--shard',
    value: 'N/T',
    commands: SHARDED,
    help:
      'only part N of T of the repositories, so that T processes do a large scope at once; each has its own checkpoints ' +
      'and lock, and merge-reports makes one report of theirs. status: only this shard',
  }),
  followUps: content({
    flag: '--follow-ups',
    commands: JUDGES,
    help:
      'also copy what refers to comments, statuses, applications and the like, up to four steps away: deletions, ' +
      'reactions, labels, zaps, releases, results of CI',
  }),
  deletions: content({
    flag: '--deletions',
    commands: [...COPIES, 'serve'],
    value: 'apply|skip',
    fallback: 'apply',
    help: 'skip: deletions are neither copied nor applied, and no checkpoint moves',
  }),
  parked: content({
    flag: '--parked',
    commands: ['status'],
    help: 'list every event that waits on disk, with its reason and when it is tried again',
  }),
  refused: content({
    flag: '--refused',
    commands: ['retry', 'status'],
    help: 'retry: also try events that were refused or given up; status: list them',
  }),
  offline: content({
    flag: '--offline',
    commands: ['why'],
    help: 'ask no relay: tell what the state file knows',
  }),
  since: range({
    flag: '--since',
    value: 'T',
    help:
      'only events from this time on: Unix seconds, an ISO date (local time unless it has a zone; a date alone is its ' +
      'midnight), a duration ago such as 90m, 12h, 3d, 2w, 6M (30 days each), 1Y (365 days) or "9 hours ago", now, ' +
      'today or yesterday (their midnights)',
  }),
  until: range({
    flag: '--until',
    value: 'T',
    help: 'only events up to this time, in any format of --since; no checkpoint moves',
  }),
  full: range({ flag: '--full', commands: UPDATES, help: 'read everything, whatever the checkpoints say' }),
  quickWindow: range({
    flag: '--quick-window',
    value: 'D',
    commands: UPDATES,
    fallback: '15m',
    help: 'read only new events if the last complete run is at most this long ago',
  }),
  fullEvery: range({
    flag: '--full-every',
    value: 'D|never',
    commands: UPDATES,
    fallback: '24h',
    help: 'read everything if the last full run is longer ago than this',
  }),
  overlap: range({
    flag: '--overlap',
    value: 'D',
    commands: UPDATES,
    fallback: '15m',
    help: 'start this long before the last complete run, because clocks differ',
  }),
  both: output({
    flag: '--both',
    commands: ['check'],
    help: 'also compare in the other direction: what does the target have that a source lacks?',
  }),
  sample: output({
    flag: '--sample',
    value: 'N/T',
    commands: ['check'],
    help:
      'of part N of T of the repositories, also read back what the target serves, and verify ids and signatures: ' +
      'damaged or forged copies are differences (5)',
  }),
  copies: output({
    flag: '--copies',
    value: 'N',
    commands: ['check'],
    help:
      'also count at how many of the given ends, sources and target alike, each event is, and with --git at how many ' +
      'servers the git data is: fewer than N is a difference (5). Reads the target in full',
  }),
  ids: output({ flag: '--ids', commands: ['check'], help: 'list the ids of the missing events' }),
  output: output({
    flag: '--output',
    value: 'FILE',
    commands: ['check'],
    help:
      'write the missing events to this JSONL file, replacing it (compressed when it ends in .gz); ' +
      '- writes them to standard output and the report to standard error',
  }),
  combined: list('--combined', 'every difference, with its sign: + missing, * older on the target, ! withheld by it'),
  missingOnTarget: list('--missing-on-target', 'the events of which the target has nothing (+)'),
  differ: list('--differ', 'the events of which the target serves an older version (*)'),
  error: list('--error', 'the events that the target does not take yet, holds back, or refused for good (!)'),
  report: output({
    flag: '--report',
    value: 'FILE',
    commands: [...UPDATES, 'check', 'merge-reports'],
    help: 'also write the report as one page for people who were not there: FILE.html or FILE.md',
  }),
  dryRun: output({
    flag: '--dry-run',
    short: '-n',
    commands: SENDERS,
    help: 'read everything, send nothing, report what would be sent',
  }),
  json: output({ flag: '--json', commands: REPORTS, help: 'print one JSON document (docs/json-output.md)' }),
  quiet: output({
    flag: '--quiet',
    short: '-q',
    commands: [...RUNS, 'retry', 'merge-reports'],
    help: 'print nothing when all is well; no progress',
  }),
  verbose: output({
    flag: '--verbose',
    short: '-v',
    commands: [...RUNS, 'retry', 'merge-reports', 'config'],
    help:
      'print the whole report even when all is well, and every reason; show what happens on standard error, ' +
      'as --log-file would keep it; config: also the defaults',
  }),
  noColor: output({
    flag: '--no-color',
    commands: REPORTS,
    help: 'no colours; NO_COLOR in the environment does the same',
  }),
  noReconcile: behaviour({
    flag: '--no-reconcile',
    help: 'never compare by NIP-77 (negentropy): read everything page by page',
  }),
  maxBytes: behaviour({
    flag: '--max-bytes',
    value: 'N',
    fallback: '2GiB',
    help: 'read at most this much from one source: 500MB, 2GiB',
  }),
  retries: behaviour({
    flag: '--retries',
    value: 'N',
    commands: CONNECTS,
    fallback: '3',
    help: 'retry a lost connection or request up to N times',
  }),
  connectTimeout: behaviour({
    flag: '--connect-timeout',
    value: 'D',
    commands: CONNECTS,
    fallback: '10s',
    help: 'give up connecting after this long: 500ms, 10s, 5m',
  }),
  idleTimeout: behaviour({
    flag: '--idle-timeout',
    value: 'D',
    commands: CONNECTS,
    fallback: '30s',
    help: 'give up a request after this long without data',
  }),
  okTimeout: behaviour({
    flag: '--ok-timeout',
    value: 'D',
    commands: [...SENDERS, 'serve', 'relay'],
    fallback: '30s',
    help: 'wait this long for the answer to an event',
  }),
  compress: behaviour({
    flag: '--compress',
    value: 'WHEN',
    commands: CONNECTS,
    fallback: 'auto',
    help:
      'offer relays compression: always, never, or auto: where an earlier run leaves little to read; ' +
      'it halves the bytes at least, and costs processor time',
  }),
  forgetParked: behaviour({
    flag: '--forget-parked',
    value: 'D',
    commands: SENDERS,
    fallback: '30d',
    help: 'give up an event that the target has not accepted for this long',
  }),
  settle: behaviour({
    flag: '--settle',
    value: 'D',
    commands: SENDERS,
    help:
      'stay until what the target holds back until git data arrives is served, at most this long: 2m, 1h; ' +
      'only asks, and sends what becomes free',
  }),
  git: git({
    flag: '--git',
    help:
      "also compare the target's git repositories with the signed states and pull requests, and look who has the data; " +
      'catchup, repair: also fetch and push what the target lacks (docs/git-data.md)',
  }),
  pruneRefs: git({
    flag: '--prune-refs',
    commands: ['catchup', 'repair'],
    help: 'with --git: delete branches and tags of the target that the signed state does not name, where it demands that',
  }),
  deep: git({
    flag: '--deep',
    value: 'N/T',
    help:
      'with --git: also clone the N-th of T parts of the repositories from the target, since equal refs prove only the ' +
      'tips: 1/7 on Monday, 2/7 on Tuesday',
  }),
  maxGitBytes: git({
    flag: '--max-git-bytes',
    value: 'N',
    fallback: '1GiB',
    help: 'with --git: read at most this much from git servers in a run, and so of one repository',
  }),
  gitAllow: git({
    flag: '--git-allow',
    value: 'WHAT',
    repeatable: true,
    help: 'private: with --git also ask clone URLs at loopback and private addresses that announcements name',
  }),
  maxSend: sending({
    flag: '--max-send',
    value: 'N|P%',
    help:
      'stop with exit 1 before anything is sent when more than this would be: a number of events, or a percentage of ' +
      'what the target was seen to hold (default: no limit)',
  }),
  rate: sending({
    flag: '--rate',
    value: 'R',
    help:
      'send no faster than this over each connection: 60/m, 1/s, 10/h, or none ' +
      "(default: the known limit of the target's software; slower when the target says rate-limited)",
  }),
  connections: sending({
    flag: '--connections',
    value: 'N',
    fallback: '1',
    help: 'use N connections to the target, each at its own pace',
  }),
  maxDuration: sending({
    flag: '--max-duration',
    value: 'D',
    help: 'stop between two events after this long: 50m, 2h; the next run continues from there (exit 3)',
  }),
  keyFile: identity({
    flag: '--key-file',
    value: 'FILE',
    help:
      'the secret key for relays that ask for authentication (NIP-42): a file with nsec1…, ncryptsec1… or 64 hex ' +
      'digits; or give the key itself in NGIT_SYNC_KEY. It is used only for the relays named here',
  }),
  keyPasswordFile: identity({
    flag: '--key-password-file',
    value: 'FILE',
    help: 'a file with the password of an ncryptsec1… key; or give it in NGIT_SYNC_KEY_PASSWORD, or type it when asked',
  }),
  config: configuration({
    flag: '--config',
    value: 'FILE',
    help:
      'the configuration file (default: config.yaml or config.json in ngit-sync/ under $XDG_CONFIG_HOME or ~/.config, ' +
      'else in /etc/ngit-sync/)',
  }),
  profile: configuration({
    flag: '--profile',
    value: 'NAME',
    repeatable: true,
    help: 'use the options of this profile of the file; several run one after the other, and the worst exit code wins',
  }),
  allProfiles: configuration({ flag: '--all-profiles', help: 'use every profile of the file, in its order' }),
  metricsFile: monitoring({
    flag: '--metrics-file',
    value: 'FILE.prom',
    help:
      'write the metrics of this run for the textfile collector of node_exporter, whatever its end; ' +
      'a dry run writes none (docs/operations.md)',
  }),
  ping: monitoring({
    flag: '--ping',
    value: 'URL',
    isSecret: true,
    help:
      'tell a watchdog such as healthchecks: URL/start, then URL on exit 0, or URL/EXIT, with the verdict; ' +
      'never changes the exit code; a dry run tells nothing',
  }),
  logFile: monitoring({
    flag: '--log-file',
    value: 'FILE',
    help: 'append a line for each thing that happens: connections, requests, events sent, refused or parked',
  }),
  logFormat: monitoring({
    flag: '--log-format',
    value: 'text|json',
    fallback: 'text',
    help: 'the format of the lines of --log-file and --verbose',
  }),
  logLevel: monitoring({
    flag: '--log-level',
    value: 'error|warn|info|debug',
    fallback: 'info',
    help: 'how much --log-file and --verbose tell; debug: every page and every event sent',
  }),
  stats: monitoring({
    flag: '--stats',
    value: 'D',
    help: 'print a line of progress this often when standard error is no terminal: 30s, 5m',
  }),
}

/** The whole table, in the order of the help. */
export const ALL_OPTIONS: readonly OptionSpec[] = Object.values(OPTIONS)

/** Variables that hold a secret. An option would show it to every user of the machine. */
export const SECRET_VARIABLES = { key: 'NGIT_SYNC_KEY', password: 'NGIT_SYNC_KEY_PASSWORD' } as const

/** The options that choose the file and its profiles, and so cannot stand in it. */
export const CHOOSERS: readonly OptionSpec[] = [OPTIONS.config, OPTIONS.profile, OPTIONS.allProfiles]

/** The options that a command takes, in the order of the help. `config` takes all, to show what they would change. */
export function optionsOf(command: CliCommand): readonly OptionSpec[] {
  if (command === 'config') return ALL_OPTIONS
  return ALL_OPTIONS.filter((spec) => spec.commands.includes(command))
}

/** The environment variable of an option: `--quick-window` → `NGIT_SYNC_QUICK_WINDOW`. */
export function envNameOf({ flag }: Pick<OptionSpec, 'flag'>): string {
  return `NGIT_SYNC_${flag.slice(2).replaceAll('-', '_').toUpperCase()}`
}

/** Whether a word of the command line looks like an option. `-` alone is an endpoint. */
export function isOption(word: string): boolean {
  return word.length > 1 && word.startsWith('-')
}

/** A list that `check` writes. */
function list(flag: OptionSpec['flag'], what: string): OptionSpec {
  const help = `write one line for each difference to this file: ${what}`
  return output({ flag, value: 'FILE', commands: ['check'], help })
}

type Row = Pick<OptionSpec, 'flag' | 'help'> & Partial<OptionSpec>

/** Fills in the common fields of a group. */
function inGroup(group: string, commands: readonly CliCommand[]): (row: Row) => OptionSpec {
  return (row) => ({ short: null, value: null, repeatable: false, fallback: null, commands, group, ...row })
}
