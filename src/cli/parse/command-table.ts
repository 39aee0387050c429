/** The commands as data. The help is built from this table. */
export type CommandSpec = {
  /** One line for the list of commands. */
  readonly summary: string
  /** The paragraph above the options. */
  readonly description: string
  /** The positional argument of the command, or several. */
  readonly argument?: { readonly name: string; readonly help: string; readonly repeatable?: true }
  readonly examples: readonly { readonly line: string; readonly does: string }[]
  /** The possible exit codes of the command, besides 2 and the signals. */
  readonly exits: readonly number[]
  /** Meanings of codes that differ from the general ones. */
  readonly meanings?: Readonly<Record<number, string>>
}

/** Every command by its name. */
export const COMMANDS = {
  catchup: {
    summary: 'bring the target up to date from the sources (the main job)',
    description:
      'Reads the sources, publishes the events that the target lacks, checks that the target serves them, ' +
      'and remembers how far each source was read. Exit 0 means that every source was read to its end and the target ' +
      'holds every event or has refused it for good.',
    examples: [
      {
        line: 'ngit-sync catchup --source wss://one.example --target wss://git.example',
        does: 'after an outage, by hand',
      },
      {
        line: 'ngit-sync catchup --source wss://one.example --target ws://localhost:7443 --service wss://git.example --quiet',
        does: 'from cron, on the machine of the target: prints nothing when all is well',
      },
      {
        line: 'ngit-sync catchup --source backup.jsonl --target wss://git.example --dry-run',
        does: 'what would a backup file add?',
      },
    ],
    exits: [0, 1, 3, 4],
  },
  backfill: {
    summary: 'the same over a window of time; reads and moves no checkpoint',
    description:
      'Copies events whose created_at lies in the window. created_at is the date that the author gave an event, ' +
      'not the time when a relay received it. Neither reads nor moves the checkpoints of catchup.',
    examples: [
      {
        line: 'ngit-sync backfill --source wss://one.example --target wss://git.example --since 2026-11-19 --until 2026-11-22',
        does: 'three days, from midnight to midnight, local time',
      },
      {
        line: 'ngit-sync backfill --source wss://one.example --target out.jsonl --since 1Y --repo npub1…/my-repo',
        does: 'the last year of one repository, into a file',
      },
    ],
    exits: [0, 1, 3, 4],
  },
  serve: {
    summary: 'offer what the target lacks, read-only, for the target itself to take: restores a large relay',
    description:
      'Reads the sources as catchup does, but sends nothing: serves the verified events that the target lacks on a relay of ' +
      'its own, until the target serves them all, by asking it. A relay limits what it is sent, not what it asks for. ' +
      'Prints what to set at the target. EVENT is refused. The address is that of this machine alone unless --listen ' +
      'names another one.',
    examples: [
      {
        line: 'ngit-sync serve --source wss://one.example --target ws://localhost:7443 --service wss://git.example',
        does: 'on the machine of the target, after a loss',
      },
      {
        line: 'ngit-sync serve --source backup.jsonl --target ws://localhost:7443 --scope all --max-duration 2h',
        does: 'a backup file; what the target has not taken by then waits for the next run',
      },
    ],
    exits: [0, 1, 3, 4],
    meanings: {
      0: 'read to the end; the target serves every event, or has refused it for good',
      3: 'a source not read to its end, or the target has not taken everything: run again',
    },
  },
  check: {
    summary: 'what does the target lack, and since when? Publishes nothing',
    description:
      'Reads both sides like catchup --full, and reports what the target lacks: by repository, by layer and kind, ' +
      'and by date, where an outage shows as a bar. Ephemeral, expired, deleted and superseded events are not ' +
      'differences. No checkpoint moves.',
    examples: [
      {
        line: 'ngit-sync check --source wss://one.example --target wss://git.example',
        does: 'did the target miss anything?',
      },
      {
        line: 'ngit-sync check --source wss://one.example --target wss://git.example --since 2w --output missing.jsonl',
        does: 'write the missing events of the last two weeks to a file',
      },
      {
        line: 'ngit-sync check --source wss://one.example --target wss://git.example --both --ids',
        does: 'both directions, with the ids',
      },
    ],
    exits: [0, 1, 3, 5],
    meanings: {
      0: 'both sides were read to the end; the target lacks nothing',
      3: 'a source or the target could not be read to its end; beats 5',
    },
  },
  retry: {
    summary: 'try the parked events now; reads no source',
    description:
      'Asks the target for the events that wait on disk, and sends those that it does not serve and that may be sent now. ' +
      'Events that it holds back until git data arrives are not sent again for 35 minutes after its last OK. ' +
      'No checkpoint moves.',
    examples: [
      { line: 'ngit-sync retry --target wss://git.example', does: 'after the git data was pushed' },
      { line: 'ngit-sync retry --target wss://git.example --refused', does: "after the target's policy was changed" },
    ],
    exits: [0, 1, 3, 4],
  },
  repair: {
    summary: 'catchup, then git data: fetch what the target lacks and push it',
    description:
      'With --git: does what catchup does, and then, repository by repository, fetches the objects that the newest signed ' +
      'state and the pull requests name from the servers in clone, checks them, and pushes exactly those refs to the target. ' +
      'A push needs no key, because the signed state authorises it. Never pushes elsewhere. --dry-run shows the plan. ' +
      'Exit 0 means that the git data of every repository in scope is in sync at the target, too.',
    examples: [
      {
        line: 'ngit-sync repair --git --source wss://one.example --target wss://git.example --dry-run',
        does: 'what would be fetched and pushed?',
      },
      {
        line: 'ngit-sync repair --git --source wss://one.example --target wss://git.example --settle 10m',
        does: 'after the disk of a GRASP relay was lost: until every repository can be cloned again',
      },
    ],
    exits: [0, 1, 3, 4],
  },
  status: {
    summary: 'show checkpoints, parked and refused events, and the last runs',
    description: 'Reads only the state file; asks no relay.',
    examples: [
      { line: 'ngit-sync status --target wss://git.example', does: 'one target' },
      { line: 'ngit-sync status --parked --json', does: 'every event that waits, for another program' },
    ],
    exits: [0, 1],
    meanings: { 0: 'the state was read', 1: 'the state file is missing or unreadable' },
  },
  'merge-reports': {
    summary: 'make one report of those of several shards (--shard)',
    description:
      'Reads the reports that the shards of one run printed with --json, and prints one for the whole. It is complete only if ' +
      'every shard is there and complete; one that is missing makes it partial (3). Reports that are not of one whole are ' +
      'refused (2): another number of shards, command, target, source, scope or range. Asks no relay.',
    argument: {
      name: 'FILE',
      help: 'a file with one report, or several, one a line; - for standard input',
      repeatable: true,
    },
    examples: [
      { line: 'ngit-sync merge-reports shard-*.json', does: 'is the whole complete?' },
      { line: 'cat shard-*.json | ngit-sync merge-reports - --json', does: 'the same for another program' },
    ],
    exits: [0, 1, 3, 5],
    meanings: {
      0: 'every shard is there, and complete',
      1: 'a shard failed, or a file is unreadable',
      3: 'a shard is missing or partial',
      5: 'check: no shard is missing, and some found differences',
    },
  },
  why: {
    summary: 'what happened to this event? Where it is, whether it belongs, what would settle it',
    description:
      'Asks the sources and the target for one event now, says by which layer and filter it belongs to the scope or why not, ' +
      'and shows what the state file remembers: when it was sent, and what the target answered. Sends nothing, needs no lock. ' +
      'Without --source or --target, those of the state file are asked.',
    argument: {
      name: 'EVENT',
      help: 'nevent, note, naddr, the id in hex, <kind>:<public key>:<identifier>, or npub/identifier of a repository',
    },
    examples: [
      { line: 'ngit-sync why nevent1… --target wss://git.example', does: 'an example from a report' },
      {
        line: 'ngit-sync why npub1…/my-repo',
        does: 'the announcement of a repository, by the only target of the state file',
      },
      { line: 'ngit-sync why nevent1… --offline', does: 'what the state file knows; asks nobody' },
    ],
    exits: [0, 1],
    meanings: {
      0: 'it could be told',
      1: 'the target, or every source, did not answer; or nobody knows the event',
    },
  },
  relay: {
    summary: 'what a relay is and can do: NIP-11, NIP-77, NIP-42, limits, round trip',
    description:
      'Reads what the relay says about itself and tries what it can do: pages, reconciliation (NIP-77), authentication (NIP-42). ' +
      'Nothing is written to it.',
    argument: { name: 'URL', help: 'the relay: ws:// or wss://' },
    examples: [
      { line: 'ngit-sync relay wss://git.example', does: 'is it up, and what does it allow?' },
      { line: 'ngit-sync relay wss://git.example --key-file ./key --json', does: 'does it take our key?' },
    ],
    exits: [0, 1],
    meanings: { 0: 'the relay answered', 1: 'the relay is unreachable' },
  },
  config: {
    summary: 'show the merged configuration, and where each value comes from',
    description:
      'Reads the configuration file and shows, for each profile or those named, every option that is set, with its origin: ' +
      'the command line, a variable, or a line of the file. Takes every option of the other commands. Asks no relay.',
    examples: [
      { line: 'ngit-sync config', does: 'is the file right, and what does each profile do?' },
      { line: 'ngit-sync config --profile nightly --verbose', does: 'one profile, with the defaults of the program' },
    ],
    exits: [0],
    meanings: { 0: 'the file was read, and every value in it is valid' },
  },
  completion: {
    summary: 'print the completions for a shell: bash, zsh or fish',
    description: 'Prints a script that completes commands, options, profiles, targets and sources.',
    argument: { name: 'SHELL', help: 'bash, zsh or fish' },
    examples: [
      { line: 'source <(ngit-sync completion bash)', does: 'bash: in ~/.bashrc' },
      { line: 'source <(ngit-sync completion zsh)', does: 'zsh: in ~/.zshrc, after compinit' },
      { line: 'ngit-sync completion fish > ~/.config/fish/completions/ngit-sync.fish', does: 'fish: once' },
    ],
    exits: [0],
    meanings: { 0: 'the script was printed' },
  },
  demo: {
    summary: 'two relays on this machine, an outage, and its repair',
    description:
      'Starts two relays with storage on loopback, lets one miss events, repairs it with catchup and shows the report.',
    examples: [{ line: 'ngit-sync demo', does: 'takes a few seconds and leaves nothing behind' }],
    exits: [0, 1],
    meanings: { 0: 'the outage was repaired', 1: 'it was not; the reports say why' },
  },
} as const satisfies Readonly<Record<string, CommandSpec>>

/** The name of a command. */
export type CliCommand = keyof typeof COMMANDS

/** The names of all commands, in the order of the help. */
export const COMMAND_NAMES: readonly CliCommand[] = [
  'catchup',
  'backfill',
  'serve',
  'check',
  'retry',
  'repair',
  'status',
  'merge-reports',
  'why',
  'relay',
  'config',
  'completion',
  'demo',
]
