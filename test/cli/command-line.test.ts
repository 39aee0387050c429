import { describe, expect, it } from 'vitest'
import { parseCommandLine, type CommandLine } from '../../src/cli/parse/command-line.ts'
import { ALL_OPTIONS, envNameOf, optionsOf } from '../../src/cli/parse/option-table.ts'
import { encodePublicKey } from '../../src/nostr/nip19.ts'

const NOW = 1_763_900_000
const HEX = '84dee6e676e5bb67b4ad4e042cf70cbd8681155db535942fcc6a0533858a7240'
const NPUB = encodePublicKey(HEX)
const ENDS = ['--source', 'wss://one.example', '--target', 'wss://git.example']

type Env = Record<string, string>

async function parse(argv: readonly string[], env: Env = {}): Promise<CommandLine> {
  return parseCommandLine(argv, env, NOW, { version: '1.2.3' })
}

/** A run that is parsed without problems. */
async function parseRun(argv: readonly string[], env: Env = {}): Promise<Extract<CommandLine, { type: 'run' }>> {
  const line = await parse(argv, env)
  if (line.type !== 'run') throw new Error(line.type === 'text' ? line.text : line.type)
  return line
}

/** The problems of a wrong command line, without `error: ` and without the pointer to the help. */
async function problemsOf(argv: readonly string[], env: Env = {}): Promise<string[]> {
  const line = await parse(argv, env)
  if (line.type !== 'text') return []
  expect(line).toMatchObject({ exit: 2, stream: 'stderr' })
  return line.text.split('\n').flatMap((text) => (text.startsWith('error: ') ? [text.slice('error: '.length)] : []))
}

describe('the defaults of catchup', () => {
  it('are those of the design', async () => {
    expect(await parseRun(['catchup', ...ENDS])).toMatchObject({
      type: 'run',
      stateFile: undefined,
      output: { json: false, quiet: false, verbose: false, color: true },
      connection: {
        ...{ retries: 3, connectTimeoutMs: 10_000, idleTimeoutMs: 30_000, okTimeoutMs: 30_000 },
        compress: 'auto',
      },
      pacing: { rate: 'known', connections: 1, maxDurationMs: undefined },
      monitoring: {
        metricsFile: undefined,
        ping: undefined,
        logFile: undefined,
        logFormat: 'text',
        logLevel: 'info',
        statsMs: undefined,
      },
      key: { keyFile: undefined, passwordFile: undefined },
      options: {
        command: 'catchup',
        sources: ['wss://one.example'],
        target: 'wss://git.example',
        scope: { type: 'auto' },
        service: undefined,
        since: undefined,
        until: undefined,
        full: false,
        quickWindowSeconds: 900,
        fullEverySeconds: 86_400,
        overlapSeconds: 900,
        discovery: undefined,
        deletions: 'apply',
        dryRun: false,
        maxBytesPerSource: 2_147_483_648,
        git: undefined,
        settleMs: undefined,
        forgetParkedSeconds: 2_592_000,
        maxSend: undefined,
      },
    })
  })
})

/** What each flag does, on the command line and by its variable. */
const FLAGS: [flag: string, value: string, expected: object][] = [
  ['--service', 'https://git.example.org', { options: { service: 'wss://git.example.org' } }],
  ['--state', './state.db', { stateFile: 'state.db' }],
  ['--scope', 'listed', { options: { scope: { type: 'listed' } } }],
  ['--repo', `${NPUB}/x`, { options: { scope: { type: 'named', addresses: [{ kind: 30617, pubkey: HEX, d: 'x' }] } } }],
  ['--author', NPUB, { options: { scope: { type: 'named', addresses: [], authors: [HEX] } } }],
  ['--deletions', 'skip', { options: { deletions: 'skip' } }],
  ['--since', '12h', { options: { since: NOW - 43_200 } }],
  ['--until', '1763800000', { options: { until: 1_763_800_000 } }],
  ['--full', '', { options: { full: true } }],
  ['--quick-window', '1h', { options: { quickWindowSeconds: 3600 } }],
  ['--full-every', 'never', { options: { fullEverySeconds: Infinity } }],
  ['--overlap', '5m', { options: { overlapSeconds: 300 } }],
  ['--dry-run', '', { options: { dryRun: true } }],
  ['--metrics-file', './a.prom', { monitoring: { metricsFile: 'a.prom' } }],
  ['--ping', 'https://dog.example/uuid', { monitoring: { ping: 'https://dog.example/uuid' } }],
  ['--log-file', './a.log', { monitoring: { logFile: 'a.log' } }],
  ['--log-format', 'json', { monitoring: { logFormat: 'json' } }],
  ['--log-level', 'debug', { monitoring: { logLevel: 'debug' } }],
  ['--stats', '30s', { monitoring: { statsMs: 30_000 } }],
  ['--json', '', { output: { json: true } }],
  ['--quiet', '', { output: { quiet: true } }],
  ['--verbose', '', { output: { verbose: true } }],
  ['--no-color', '', { output: { color: false } }],
  ['--max-bytes', '500MB', { options: { maxBytesPerSource: 500_000_000 } }],
  ['--retries', '0', { connection: { retries: 0 } }],
  ['--connect-timeout', '500ms', { connection: { connectTimeoutMs: 500 } }],
  ['--idle-timeout', '2m', { connection: { idleTimeoutMs: 120_000 } }],
  ['--ok-timeout', '1m', { connection: { okTimeoutMs: 60_000 } }],
  ['--compress', 'never', { connection: { compress: 'never' } }],
  ['--rate', '120/m', { pacing: { rate: { burst: 1, intervalMs: 500 } } }],
  ['--connections', '4', { pacing: { connections: 4 } }],
  ['--max-duration', '50m', { pacing: { maxDurationMs: 3_000_000 } }],
  ['--listen', '[::1]:8080', { listen: { host: '::1', port: 8080 } }],
  ['--key-file', './key', { key: { keyFile: 'key' } }],
  ['--key-password-file', './password', { key: { passwordFile: 'password' } }],
  ['--refused', '', { options: { command: 'retry', reopenRefused: true } }],
  ['--parked', '', { type: 'status', list: { parked: true, refused: false } }],
  ['--forget-parked', '7d', { options: { forgetParkedSeconds: 604_800 } }],
  ['--discover', '', { options: { discovery: { max: 20, allowPrivate: false, allowInsecure: false } } }],
  ['--discover-max', '7', { options: { discovery: { max: 7 } } }],
  ['--discover-allow', 'insecure', { options: { discovery: { allowPrivate: false, allowInsecure: true } } }],
  ['--follow-ups', '', { options: { followUps: true } }],
  ['--no-reconcile', '', { options: { reconcile: false } }],
  ['--both', '', { check: { both: true } }],
  ['--ids', '', { options: { listIds: true } }],
  ['--output', './missing.jsonl', { check: { output: 'missing.jsonl' } }],
  ['--combined', './c', { check: { lists: [{ name: 'combined', flag: '--combined', file: 'c' }] } }],
  ['--missing-on-target', 'm', { check: { lists: [{ name: 'missingOnTarget', file: 'm' }] } }],
  ['--differ', 'd', { check: { lists: [{ name: 'differ', file: 'd' }] } }],
  ['--error', '-', { check: { lists: [{ name: 'error', file: '-' }] } }],
  ['--max-send', '10%', { options: { maxSend: { type: 'percent', percent: 10 } } }],
  ['--sample', '2/7', { options: { sample: { number: 2, of: 7 } } }],
  ['--copies', '2', { options: { copies: 2 } }],
  ['--shard', '3/4', { options: { shard: { number: 3, of: 4 } } }],
  ['--offline', '', { type: 'why', isOffline: true, subject: { type: 'id', id: HEX } }],
  ['--report', './night.html', { reportFile: 'night.html' }],
  ['--settle', '10m', { options: { settleMs: 600_000 } }],
  ['--git', '', { options: { git: { deep: undefined, pruneRefs: false, maxBytes: 2 ** 30, allowPrivate: false } } }],
  ['--prune-refs', '', { options: { git: { pruneRefs: true } } }],
  ['--deep', '2/7', { options: { git: { deep: { number: 2, of: 7 } } } }],
  ['--max-git-bytes', '5GiB', { options: { git: { maxBytes: 5 * 2 ** 30 } } }],
  ['--git-allow', 'private', { options: { git: { allowPrivate: true } } }],
]

/** The first command that takes the flag, with what it needs besides. */
function commandWith(flag: string): string[] {
  const command = ALL_OPTIONS.find((spec) => spec.flag === flag)?.commands[0] ?? 'catchup'
  if (command === 'status') return [command]
  if (command === 'why') return [command, HEX]
  if (flag.startsWith('--discover-')) return [command, ...ENDS, '--discover']
  if (['--prune-refs', '--deep', '--max-git-bytes', '--git-allow'].includes(flag)) return [command, ...ENDS, '--git']
  return command === 'retry' ? [command, '--target', 'wss://git.example'] : [command, ...ENDS]
}

describe('each option', () => {
  it('is in the table below, or is --source or --target, or chooses the configuration (config.test.ts)', () => {
    const elsewhere = ['--config', '--profile', '--all-profiles']
    const tested = ['--source', '--target', ...elsewhere, ...FLAGS.map(([flag]) => flag)]
    expect(ALL_OPTIONS.map(({ flag }) => flag)).toEqual(expect.arrayContaining(tested))
    expect(tested).toHaveLength(ALL_OPTIONS.length)
  })

  it.each(FLAGS)('%s %s on the command line', async (flag, value, expected) => {
    expect(await parse([...commandWith(flag), flag, ...(value === '' ? [] : [value])])).toMatchObject(expected)
    if (value !== '') expect(await parse([...commandWith(flag), `${flag}=${value}`])).toMatchObject(expected)
  })

  it.each(FLAGS)('%s %s in the environment', async (flag, value, expected) => {
    const name = envNameOf({ flag: `--${flag.slice(2)}` })
    expect(await parse(commandWith(flag), { [name]: value || '1' })).toMatchObject(expected)
  })
})

describe('an option that changes discovery', () => {
  it.each([
    ['--discover-max', '5'],
    ['--discover-allow', 'private'],
  ])('is wrong without it: %s %s', async (flag, value) => {
    expect(await problemsOf(['catchup', ...ENDS, flag, value])).toEqual([
      `${flag} has no effect without --discover: give that too`,
    ])
  })

  it('is allowed where discovery is turned off on purpose', async () => {
    const env = { NGIT_SYNC_DISCOVER: '0', NGIT_SYNC_DISCOVER_MAX: '5', NGIT_SYNC_DISCOVER_ALLOW: 'private' }
    expect(await parseRun(['catchup', ...ENDS], env)).toMatchObject({ options: { discovery: undefined } })
  })

  it('may be allowed in several ways', async () => {
    const argv = ['check', ...ENDS, '--discover', '--discover-allow', 'private', '--discover-allow', 'insecure']
    expect(await parseRun(argv)).toMatchObject({ options: { discovery: { allowPrivate: true, allowInsecure: true } } })
  })

  it.each([
    ['--discover-max', '0', 'is not a whole number from 1 to 1000'],
    ['--discover-allow', 'everything', 'is not one of private, insecure'],
  ])('is wrong as %s %s', async (flag, value, problem) => {
    const problems = await problemsOf(['catchup', ...ENDS, '--discover', flag, value])
    expect(problems).toEqual([`${flag} "${value}" ${problem}`])
  })
})

describe('git data', () => {
  it.each([
    ['--prune-refs', ''],
    ['--deep', '1/7'],
  ])('is not looked at without --git, so %s %s has no effect', async (flag, value) => {
    const argv = ['catchup', ...ENDS, flag, ...(value === '' ? [] : [value])]
    expect(await problemsOf(argv)).toEqual([`${flag} has no effect without --git: give that too`])
  })

  it('is what repair is for: it wants --git', async () => {
    expect(await problemsOf(['repair', ...ENDS])).toEqual([
      'repair wants --git, since git data is what it repairs: give --git, or run catchup for events alone',
    ])
    expect(await parseRun(['repair', '--git', ...ENDS])).toMatchObject({ options: { command: 'repair' } })
  })
})

describe('sources and target', () => {
  it('take several sources in every spelling, each once', async () => {
    const argv = [
      'catchup',
      '--source',
      'wss://a',
      'b.jsonl',
      '--source=-',
      '--source',
      'WSS://A:443/',
      '--target',
      '-',
    ]
    const { options } = await parseRun(argv)
    expect(options).toMatchObject({ sources: ['wss://a', 'b.jsonl', '-'], target: '-' })
  })

  it('come from the environment, separated by commas or spaces', async () => {
    const env = { NGIT_SYNC_SOURCE: 'wss://a, wss://b  c.jsonl', NGIT_SYNC_TARGET: ' wss://t ' }
    expect((await parseRun(['catchup'], env)).options).toMatchObject({
      sources: ['wss://a', 'wss://b', 'c.jsonl'],
      target: 'wss://t',
    })
  })

  it('are required', async () => {
    expect(await problemsOf(['catchup'])).toEqual([
      'no source: give --source, NGIT_SYNC_SOURCE, or "source" in the configuration file',
      'no target: give --target, NGIT_SYNC_TARGET, or "target" in the configuration file',
    ])
  })

  it('must differ after normalising', async () => {
    const same = 'names the target itself: a source must be another relay or file'
    expect(await problemsOf(['catchup', '--source', 'wss://X/', '--target', 'wss://x:443'])).toEqual([
      `--source ${same}`,
    ])
    expect(await problemsOf(['catchup', '--source', './a', '--target', 'a'])).toEqual([`--source ${same}`])
    const env = { NGIT_SYNC_SOURCE: 'wss://x,wss://y' }
    expect(await problemsOf(['catchup', '--target', 'wss://x'], env)).toEqual([`NGIT_SYNC_SOURCE ${same}`])
  })
})

describe('precedence', () => {
  it('the command line wins over the environment, a repeatable option as a whole', async () => {
    const env = { NGIT_SYNC_SOURCE: 'wss://env', NGIT_SYNC_OVERLAP: '1h', NGIT_SYNC_DRY_RUN: 'yes' }
    const { options } = await parseRun(['catchup', ...ENDS, '--overlap', '2m'], env)
    expect(options).toMatchObject({ sources: ['wss://one.example'], overlapSeconds: 120, dryRun: true })
  })

  it('a wrong variable does no harm where the command line says better', async () => {
    const env = { NGIT_SYNC_OVERLAP: 'nonsense' }
    expect((await parseRun(['catchup', ...ENDS, '--overlap', '2m'], env)).options.overlapSeconds).toBe(120)
  })

  it('an empty variable is an unset one, and a switch can be off', async () => {
    const env = { NGIT_SYNC_OVERLAP: '', NGIT_SYNC_TARGET: '  ', NGIT_SYNC_FULL: '0', NO_COLOR: '' }
    const { options, output } = await parseRun(['catchup', ...ENDS], env)
    expect(options).toMatchObject({ overlapSeconds: 900, full: false })
    expect(output.color).toBe(true)
  })

  it('NO_COLOR turns colours off', async () => {
    expect((await parseRun(['catchup', ...ENDS], { NO_COLOR: '1' })).output.color).toBe(false)
  })
})

describe('a wrong value is named with where it came from', () => {
  it.each([
    ['--since', 'yesterdayish', 'is not a time: give Unix seconds, an ISO date, or a duration ago such as 12h or 3d'],
    ['--until', '20251120', 'is not a time: give Unix seconds, an ISO date, or a duration ago such as 12h or 3d'],
    ['--scope', 'some', 'is not one of auto, listed, all'],
    ['--deletions', 'maybe', 'is not one of apply, skip'],
    ['--service', 'git.example.org', 'is not a URL: give for example wss://git.example.org'],
    ['--author', 'me', 'is not a public key: give an npub, or 64 hex digits'],
    ['--quick-window', '15', 'is not a duration: give a number with ms, s, m, h or d, such as 500ms, 10s or 15m'],
    ['--overlap', 'x', 'is not a duration: give a number with ms, s, m, h or d, such as 500ms, 10s or 15m'],
    ['--full-every', 'x', 'is not a duration or never: give for example 24h or 7d'],
    ['--forget-parked', 'x', 'is not a duration: give a number with ms, s, m, h or d, such as 500ms, 10s or 15m'],
    ['--max-bytes', '2 GOs', 'is not a size: give for example 500MB or 2GiB'],
    ['--retries', 'many', 'is not a whole number from 0 to 100'],
    ['--connect-timeout', '0s', 'is too short: give at least 1ms'],
    ['--idle-timeout', '2d', 'is too long: give at most 1d'],
    ['--ok-timeout', 'x', 'is not a duration: give a number with ms, s, m, h or d, such as 500ms, 10s or 15m'],
  ])('on the command line and in the environment: %s "%s"', async (flag, value, problem) => {
    expect(await problemsOf(['catchup', ...ENDS, flag, value])).toEqual([`${flag} "${value}" ${problem}`])
    const name = envNameOf({ flag: `--${flag.slice(2)}` })
    expect(await problemsOf(['catchup', ...ENDS], { [name]: value })).toEqual([`${name} "${value}" ${problem}`])
  })

  it('names each wrong value of several', async () => {
    expect(await problemsOf(['catchup', ...ENDS, '--source', 'http://a', 'https://b', '--repo', 'x'])).toEqual([
      '--source "http://a" is not a relay: give ws://…',
      '--source "https://b" is not a relay: give wss://…',
      '--repo "x" is not a repository: give an naddr, 30617:<public key>:<identifier>, npub/identifier, or a nostr:// clone URL',
    ])
  })

  it('knows a switch by its variable', async () => {
    const problems = await problemsOf(['catchup', ...ENDS], { NGIT_SYNC_QUIET: 'very' })
    expect(problems).toEqual(['NGIT_SYNC_QUIET "very" is not a switch: give true or false'])
  })

  it('never repeats a password or a secret key', async () => {
    const nsec = 'nsec1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe5'
    const argv = ['catchup', '--source', 'wss://me:hunter2@a', '--target', 'wss://t', '--author', nsec]
    const line = await parse(argv)
    expect(line).toMatchObject({ type: 'text', exit: 2 })
    expect(JSON.stringify(line)).not.toMatch(/hunter2|nsec1/)
  })

  it('escapes what it repeats', async () => {
    const problems = await problemsOf(['catchup', ...ENDS, '--since', '\u001b[2J\u202e\u0007'])
    expect(problems[0]).toContain('--since "\\x1b[2J\\u{202e}\\x07" is not a time')
  })
})

describe('a wrong command line', () => {
  it('tells all problems at once', async () => {
    const argv = 'catchup --sorce wss://x --since yesterdayish extra --full=1 --quiet --verbose --idle-timeout --json'
    expect(await parse(argv.split(' '), { NGIT_SYNC_RETRIES: '-1', NGIT_SYNC_TARGT: 'wss://t' })).toMatchObject({
      type: 'text',
      exit: 2,
      stream: 'stderr',
      text: `error: unknown option "--sorce": did you mean --source?
error: unexpected argument "extra": catchup takes options only
error: --full is a switch: it takes no value
error: unknown variable NGIT_SYNC_TARGT: did you mean NGIT_SYNC_TARGET?
error: --quiet and --verbose exclude each other: give one of them
error: no source: give --source, NGIT_SYNC_SOURCE, or "source" in the configuration file
error: no target: give --target, NGIT_SYNC_TARGET, or "target" in the configuration file
error: --since "yesterdayish" is not a time: give Unix seconds, an ISO date, or a duration ago such as 12h or 3d
error: NGIT_SYNC_RETRIES "-1" is not a whole number from 0 to 100
error: --idle-timeout needs a value: --idle-timeout <D>
see ngit-sync catchup --help
`,
    })
  })

  it.each([
    [['--target'], '--target needs a value: --target <URL>'],
    [['--target', ''], '--target needs a value: --target <URL>'],
    [['--overlap', '1m', '--overlap', '2m'], '--overlap is given 2 times, but takes one value'],
    [['--since', '1d', '--until', '2d'], '--since is later than --until: nothing lies between'],
    [['--full', '--since', '1d'], '--full and --since exclude each other: give one of them'],
    [['--scope', 'all', '--repo', `${NPUB}/x`], '--scope and --repo exclude each other: give one of them'],
    [['--scope', 'auto', '--author', NPUB], '--scope and --author exclude each other: give one of them'],
    [['--frobnicate'], 'unknown option "--frobnicate"'],
    [['-x'], 'unknown option "-x"'],
    [['-P'], 'unknown option "-P": progress shows by itself when standard error is a terminal'],
    [['--bwlimit', '1M'], 'unknown option "--bwlimit": give --rate 60/m'],
    [['--max-age=3d'], 'unknown option "--max-age": give --since T'],
    [['--constructor'], 'unknown option "--constructor"'],
    [['--no-colour'], 'unknown option "--no-colour": did you mean --no-color?'],
    [['wss://two.example'], 'unexpected argument "wss://two.example": catchup takes options only'],
  ])('tells what is wrong with %j', async (extra, problem) => {
    const ends = extra[0] === '--target' ? ENDS.slice(0, 2) : ENDS
    const argv = extra[0] === 'wss://two.example' ? ['catchup', ...extra, ...ends] : ['catchup', ...ends, ...extra]
    expect(await problemsOf(argv)).toEqual([problem])
  })

  it.each([
    ['-n', { options: { dryRun: true } }],
    ['-q', { output: { quiet: true } }],
    ['-v', { output: { verbose: true } }],
    ['-nq', { options: { dryRun: true }, output: { quiet: true } }],
  ])('knows %s', async (flag, expected) => {
    expect(await parseRun(['catchup', ...ENDS, flag])).toMatchObject(expected)
  })

  it('says where a short option belongs', async () => {
    expect(await problemsOf(['check', ...ENDS, '-n'])).toEqual([
      '-n is not an option of check, only of catchup, repair, backfill, retry',
    ])
  })

  it('repeats a switch without complaint', async () => {
    expect((await parseRun(['catchup', ...ENDS, '--json', '--json'])).output.json).toBe(true)
  })
})

describe('backfill', () => {
  it('needs a window', async () => {
    expect(await problemsOf(['backfill', ...ENDS])).toEqual(['no window: give --since, --until or both'])
    expect((await parseRun(['backfill', ...ENDS, '--until', '1d'])).options).toMatchObject({ until: NOW - 86_400 })
    expect((await parseRun(['backfill', ...ENDS, '--since', '1d'])).options).toMatchObject({ since: NOW - 86_400 })
  })

  it('has no options about checkpoints, for it reads none', async () => {
    const argv = ['backfill', ...ENDS, '--since', '1d', '--full']
    expect(await problemsOf(argv)).toEqual(['--full is not an option of backfill, only of catchup, repair, serve'])
    expect(optionsOf('backfill').map(({ flag }) => flag)).not.toContain('--overlap')
  })
})

describe('check', () => {
  it('reads both sides and sends nothing; without flags it lists, writes and swaps nothing', async () => {
    expect(await parseRun(['check', ...ENDS])).toMatchObject({
      options: { command: 'check', dryRun: true, listIds: false, followUps: false, reconcile: true },
      check: { both: false, output: undefined, lists: [] },
    })
    expect((await parseRun(['catchup', ...ENDS])).check).toBeUndefined()
  })

  it('has no options about sending and checkpoints', async () => {
    const flags = optionsOf('check').map(({ flag }) => flag)
    for (const flag of ['--dry-run', '--deletions', '--full', '--ok-timeout', '--forget-parked', '--overlap'])
      expect(flags).not.toContain(flag)
  })

  it('needs a target that can be read', async () => {
    const argv = ['check', '--source', 'wss://a', '--target', '-']
    expect(await problemsOf(argv)).toEqual(['--target - cannot be read: check needs a relay or a file'])
  })

  it('cannot read standard input twice', async () => {
    const argv = ['check', '--source', '-', '--target', 'wss://a', '--both']
    expect(await problemsOf(argv)).toEqual(['--both reads each source twice, and standard input can be read once only'])
    expect((await parseRun(argv.slice(0, -1))).options.sources).toEqual(['-'])
  })

  it('writes to no file that it reads', async () => {
    const argv = ['check', '--source', 'a.jsonl', '--target', 'b.jsonl', '--output']
    const problem = '--output names a file that is read: give another file for what is missing'
    expect(await problemsOf([...argv, './a.jsonl'])).toEqual([problem])
    expect(await problemsOf([...argv, 'x/../b.jsonl'])).toEqual([problem])
    expect(await problemsOf([...argv, '-'])).toEqual([])
  })
})

describe('status and demo', () => {
  it('take their few options', async () => {
    expect(await parse(['status'])).toMatchObject({ type: 'status', target: undefined, stateFile: undefined })
    expect(await parse(['status', '--target', 'WSS://T/', '--state', 's.db', '--json'])).toMatchObject({
      type: 'status',
      target: 'wss://t',
      stateFile: 's.db',
      output: { json: true },
    })
    expect(await parse(['demo', '--no-color'])).toMatchObject({ type: 'demo', output: { color: false } })
    expect(await problemsOf(['demo', '--source', 'wss://a'])).toEqual([
      '--source is not an option of demo, only of catchup, repair, backfill, serve, check, why',
    ])
  })
})

describe('help and version', () => {
  it.each([['--help'], ['-h'], ['help']])('%s prints the commands and the exit codes', async (argument) => {
    const line = await parse([argument])
    expect(line).toMatchObject({ type: 'text', exit: 0, stream: 'stdout' })
    for (const part of ['catchup', 'backfill', 'check', 'status', 'demo', '3    partial', '143  terminated']) {
      expect(line).toMatchObject({ text: expect.stringContaining(part) as string })
    }
  })

  it('no command is wrong usage, with the same help on standard error', async () => {
    const [asked, missing] = [await parse(['--help']), await parse([])]
    expect(missing).toMatchObject({ type: 'text', exit: 2, stream: 'stderr' })
    expect({ ...missing, exit: 0, stream: 'stdout', problems: [] }).toEqual(asked)
  })

  it.each(['catchup', 'backfill', 'check', 'status', 'demo'] as const)(
    '%s --help names every option with its variable',
    async (name) => {
      const line = await parse([name, '--help'])
      if (line.type !== 'text') throw new Error('no help')
      expect(line).toMatchObject({ exit: 0, stream: 'stdout' })
      for (const spec of optionsOf(name)) {
        expect(line.text).toContain(`  ${spec.flag}`)
        expect(line.text).toContain(`[${envNameOf(spec)}]`)
      }
      expect(line.text).toContain('Examples:')
      const long = line.text.split('\n').filter((text) => text.length > 80 && !text.includes('ngit-sync '))
      expect(long).toEqual([])
      expect(await parse(['help', name])).toEqual(line)
    },
  )

  it.each([[['--version']], [['-V']], [['catchup', '--version']]])('%j prints the version', async (argv) => {
    expect(await parse(argv)).toEqual({ type: 'text', text: '1.2.3\n', exit: 0, stream: 'stdout', problems: [] })
  })

  it.each([
    ['sync', 'catchup'],
    ['copy', 'catchup'],
    ['Pull', 'catchup'],
    ['diff', 'check'],
    ['ls', 'status'],
  ])('knows what other programs call %s', async (word, command) => {
    expect(await problemsOf([word])).toEqual([`unknown command "${word}": did you mean ${command}?`])
  })

  it('takes no word of the language for a command', async () => {
    expect((await problemsOf(['constructor']))[0]).toContain('unknown command "constructor": give one of')
  })

  it('guesses a misspelt command', async () => {
    expect(await problemsOf(['catchp'])).toEqual(['unknown command "catchp": did you mean catchup?'])
    expect(await problemsOf(['xyz'])).toEqual([
      'unknown command "xyz": give one of catchup, backfill, serve, check, retry, repair, status, merge-reports, why, relay, config, completion, demo',
    ])
    expect(await problemsOf(['--json'])).toEqual([
      'no command before "--json": give one of catchup, backfill, serve, check, retry, repair, status, merge-reports, why, relay, config, completion, demo',
    ])
  })
})

describe('serve', () => {
  it('listens on this machine alone if nothing else is said', async () => {
    expect(await parseRun(['serve', ...ENDS])).toMatchObject({ listen: { host: '127.0.0.1', port: 7777 } })
    expect(await parseRun(['catchup', ...ENDS])).toMatchObject({ listen: undefined })
  })

  it.each(['0.0.0.0:7777', 'localhost:0', '127.0.0.1:65535', '[::]:80'])('listens at %s', async (address) => {
    expect(await problemsOf(['serve', ...ENDS, '--listen', address])).toEqual([])
  })

  it.each(['7777', ':7777', 'relay.one:80', '127.0.0.1', '127.0.0.1:', '::1:80', '127.0.0.1:65536', '[127.0.0.1:80'])(
    'does not listen at %s',
    async (address) => {
      const [problem = '', ...others] = await problemsOf(['serve', ...ENDS, '--listen', address])
      expect([problem.startsWith(`--listen "${address}" `), others]).toEqual([true, []])
    },
  )
})
