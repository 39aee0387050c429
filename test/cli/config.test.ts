import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { parseConfig } from '../../src/cli/config/parse-config.ts'
import { parseCommandLine, type CommandLine } from '../../src/cli/parse/command-line.ts'
import { ALL_OPTIONS, CHOOSERS } from '../../src/cli/parse/option-table.ts'
import { UsageError } from '../../src/errors.ts'

const NSEC = 'nsec1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe5'
const HEX = '84dee6e676e5bb67b4ad4e042cf70cbd8681155db535942fcc6a0533858a7240'
const ENDS = 'source: wss://one.example, target: wss://git.example'

/** The problems of a file that stands in /etc/x.yaml. */
function problemsIn(text: string): readonly string[] {
  try {
    parseConfig(text, '/etc/x.yaml')
    return []
  } catch (error) {
    if (error instanceof UsageError) return error.problems
    throw error
  }
}

type Place = {
  readonly file: string
  parse(argv: readonly string[], env?: Record<string, string>): Promise<CommandLine>
  problems(argv: readonly string[], env?: Record<string, string>): Promise<readonly string[]>
  readonly warnings: readonly string[]
}

/** A directory with a configuration file in it, and the command line as it is parsed there. */
function place(text: string, name = 'ngit-sync/config.yaml'): Place {
  const directory = mkdtempSync(join(tmpdir(), 'ngit-sync-config-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const file = join(directory, name)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  const warnings: string[] = []
  const parse: Place['parse'] = (argv, env = {}) =>
    parseCommandLine(argv, { XDG_CONFIG_HOME: directory, ...env }, 1_763_900_000, {
      version: '1',
      warn: (line) => warnings.push(line),
    })
  const problems: Place['problems'] = async (argv, env) => {
    const line = await parse(argv, env)
    if (line.type !== 'text') return []
    expect(line.exit).toBe(2)
    return [...line.text.matchAll(/^error: (.*)$/gm)].map(([, problem = '']) => problem.replaceAll(file, 'FILE'))
  }
  return { file, parse, problems, warnings }
}

/** The options of each profile that runs, by its name. */
async function runsOf(line: Promise<CommandLine>): Promise<Record<string, unknown>> {
  const parsed = await line
  if (parsed.type === 'text') throw new Error(parsed.text)
  return parsed.type === 'profiles'
    ? Object.fromEntries(parsed.lines.map(({ profile, line }) => [profile, line]))
    : { '': parsed }
}

describe('a configuration file', () => {
  it('may set every option but those that choose it', () => {
    const settable = ALL_OPTIONS.filter((spec) => !CHOOSERS.includes(spec)).map(({ flag }) => flag.slice(2))
    const file = parseConfig(`defaults:\n${settable.map((key) => `  ${key}: "0"\n`).join('')}`, '/etc/x.yaml')
    expect(file.defaults.size).toBe(settable.length)
    expect(problemsIn('defaults: { profile: a }')).toEqual([
      '/etc/x.yaml:1:13: "profile" cannot be set in the file that it chooses: give it on the command line or as a variable',
    ])
  })

  it.each([
    ['defaults:\n  taget: x', '2:3: unknown option "taget": did you mean target?'],
    ['defaults:\n  sources: [a]', '2:3: unknown option "sources": did you mean source?'],
    ['profiles:\n  a:\n    --target: x', '3:5: unknown option "--target": did you mean target?'],
    ['profiles:\n  a:\n    quickWindow: 5m', '3:5: unknown option "quickWindow": did you mean quick-window?'],
    ['defaults:\n  <<: {}', '2:3: merging maps is not supported: what is common belongs under defaults'],
    ['defaults:\n  [a]: 1', '2:3: the name of an option is not a map or list'],
    ['target: wss://a', '1:1: "target" belongs under defaults, or under a profile below profiles'],
    [
      'profile:\n  a: {}',
      '1:1: unknown part "profile": the file has the parts defaults and profiles: did you mean profiles?',
    ],
    ['- a', '1:1: the file is not a map: give options as "key: value"'],
    ['defaults: 5', '1:11: defaults is not a map: give options as "key: value"'],
    ['profiles: [a]', '1:11: profiles is not a map: give options as "key: value"'],
    ['profiles:\n  a: b', '2:6: profile a is not a map: give options as "key: value"'],
    ['profiles:\n  "a b": {}', '2:3: is not a name of a profile: give letters, digits, "_", "." and "-", at most 64'],
    ['profiles:\n  -a: {}', '2:3: is not a name of a profile: give letters, digits, "_", "." and "-", at most 64'],
    ['defaults:\n  target: [a, b]', '2:11: target takes one value, not a list'],
    ['defaults:\n  source: { a: b }', '2:11: source takes a value, not a map'],
    ['defaults:\n  source: [[a]]', '2:12: source takes a list of plain values'],
    ['defaults:\n  source: []', '2:11: source needs a value: the list is empty'],
    ['defaults:\n  target:', '2:10: target needs a value'],
    ['defaults:\n  target: true', '2:11: target takes a value (URL), not true'],
    ['defaults:\n  source: *nobody', '2:11: source needs a value: there is none here'],
    ['a: 1\na: 2', '2:1: is not YAML as it should be: Map keys must be unique'],
    ['a: b: c', '1:4: is not YAML as it should be: Nested mappings are not allowed in compact mappings'],
    ['defaults: !!js/function x', '1:11: is not YAML as it should be: Unresolved tag: tag:yaml.org,2002:js/function'],
  ])('is wrong as %j', (text, problem) => {
    expect(problemsIn(text)).toEqual([`/etc/x.yaml:${problem}`])
  })

  it('tells all its problems at once, with their lines', () => {
    expect(problemsIn('defaults:\n  a: 1\nprofiles:\n  x:\n    b: 1\n').map((text) => text.split(': ')[0])).toEqual([
      '/etc/x.yaml:2:3',
      '/etc/x.yaml:5:5',
    ])
  })

  it.each([
    `defaults: { key: ${HEX} }`,
    `defaults: { nsec: ${NSEC} }`,
    `defaults: { password: hunter2 }`,
    `defaults: { key-password: hunter2 }`,
    `defaults: { NGIT_SYNC_KEY: x, secret: hunter2 }`,
    `defaults: { key-file: ${NSEC} }`,
    `defaults: { key-file: ${HEX} }`,
    `defaults: { author: ${NSEC} }`,
    `defaults: { ${NSEC}: 1 }`,
    `key: ${NSEC}`,
    `${NSEC}: &x [`,
    `defaults: { source: *${NSEC} }`,
    `defaults: { source: !${NSEC} x }`,
    `profiles: { ${NSEC}: {} }`,
  ])('holds no secret, and none is repeated: %s', (text) => {
    const problems = problemsIn(text)
    expect(problems.length).toBeGreaterThan(0)
    expect(problems.join('\n')).not.toMatch(/nsec1|hunter2|84dee6e6/)
  })

  it('says where a secret belongs', () => {
    expect(problemsIn('profiles:\n  a:\n    key: x')).toEqual([
      '/etc/x.yaml:3:5: a secret does not belong in this file: write it to a file of its own with mode 600, and give ' +
        'the name of that as key-file',
    ])
  })

  it('may name public keys in hex, and keeps texts as they are written', () => {
    const { defaults } = parseConfig(`defaults: { author: [${HEX}], since: 2026-01-02, retries: 007, full: yes }`, '/x')
    expect([...defaults.values()].map(({ texts }) => texts)).toEqual([[HEX], ['2026-01-02'], ['007'], ['yes']])
  })

  it.each([
    ['deep lists', '['.repeat(100_000)],
    ['deep maps', '{a: '.repeat(50_000)],
    ['many aliases', `defaults: { source: [&a x, ${'*a, '.repeat(20_000)}] }`],
    ['laughs', `a: &a [x,x]\nb: &b [*a,*a,*a]\nc: &c [*b,*b,*b]\ndefaults: { source: *c }`],
    ['a loop', 'defaults: &a { source: *a }'],
    ['controls', 'defaults: { "\u001b[2J": 1 }'],
  ])('is told of, soon, as %s', (_, text) => {
    const start = performance.now()
    const problems = problemsIn(text)
    expect(problems.length).toBeGreaterThan(0)
    expect(problems.length).toBeLessThan(10)
    expect(performance.now() - start).toBeLessThan(10_000)
  })

  it('is JSON as well', () => {
    const text = JSON.stringify({ defaults: { full: true }, profiles: { a: { source: ['wss://a'] } } }, null, '\t')
    const { profiles } = parseConfig(text, '/x.json')
    expect(profiles.get('a')?.size).toBe(1)
  })

  it('may be empty', () => {
    expect(problemsIn('')).toEqual([])
    expect(problemsIn('defaults:\nprofiles:\n  a:\n')).toEqual([])
  })
})

describe('the place of the file', () => {
  it('is the user directory, as YAML before JSON', async () => {
    const { parse } = place(`defaults: { ${ENDS}, full: true }`)
    expect(await parse(['catchup'])).toMatchObject({
      type: 'run',
      options: { full: true, target: 'wss://git.example' },
    })
    const json = place(`{"defaults":{"full":true}}`, 'ngit-sync/config.json')
    expect(await json.parse(['catchup', '--source', 'a.jsonl', '--target', 'wss://b'])).toMatchObject({
      options: { full: true },
    })
  })

  it('is what --config says, or its variable', async () => {
    const { parse, file } = place(`defaults: { ${ENDS} }`, 'other.yaml')
    expect(await parse(['catchup', '--config', file])).toMatchObject({ type: 'run' })
    expect(await parse(['catchup'], { NGIT_SYNC_CONFIG: file })).toMatchObject({ type: 'run' })
  })

  it('is told of when it cannot be read', async () => {
    const { problems, file } = place('x'.repeat(300_000), 'large.yaml')
    expect(await problems(['catchup', '--config', '/nowhere/x.yaml'])).toEqual([
      'the configuration file /nowhere/x.yaml cannot be read: no such file',
    ])
    expect(await problems(['status', '--config', dirname(file)])).toEqual([
      `the configuration file ${dirname(file)} cannot be read: it is a directory`,
    ])
    expect(await problems(['check', '--config', file])).toEqual([
      'the configuration file FILE cannot be read: it is larger than 256 KiB',
    ])
    writeFileSync(file, Buffer.from([0x61, 0xff]))
    expect(await problems(['check', '--config', file])).toEqual([
      'the configuration file FILE cannot be read: it is not UTF-8 text',
    ])
  })

  it('is warned of when every user may write to it', async () => {
    const { parse, file, warnings } = place(`defaults: { ${ENDS} }`)
    await parse(['catchup'])
    expect(warnings).toEqual([])
    chmodSync(file, 0o666)
    await parse(['catchup'])
    expect(warnings).toEqual([`warning: every user may change the configuration file ${file}: chmod o-w it`])
  })

  it('does not matter to commands that use none', async () => {
    const { parse } = place('nonsense: [')
    expect(await parse(['demo'])).toMatchObject({ type: 'demo' })
    expect(await parse(['completion', 'bash'])).toMatchObject({ type: 'completion', shell: 'bash' })
  })
})

const PROFILES = `
defaults:
  source: [wss://one.example, wss://two.example]
  overlap: 20m
  retries: 5
  quiet: true
profiles:
  nightly:
    target: wss://git.example
    overlap: 10m
  weekly:
    source: archive.jsonl
    target: backup.jsonl
    full: true
    verbose: true
`

describe('profiles', () => {
  it('stand over the defaults, below variables and flags', async () => {
    const { parse } = place(PROFILES)
    const { nightly } = await runsOf(
      parse(['catchup', '--profile', 'nightly', '--retries', '7'], { NGIT_SYNC_RETRIES: '6', NGIT_SYNC_RATE: '1/s' }),
    )
    expect(nightly).toMatchObject({
      options: {
        sources: ['wss://one.example', 'wss://two.example'],
        target: 'wss://git.example',
        overlapSeconds: 600,
      },
      connection: { retries: 7 },
      pacing: { rate: { intervalMs: 1000 } },
      output: { quiet: true },
    })
  })

  it('run in the order of the command line, or of the file', async () => {
    const { parse } = place(PROFILES)
    expect(Object.keys(await runsOf(parse(['catchup', '--profile', 'weekly', 'nightly', 'weekly'])))).toEqual([
      'weekly',
      'nightly',
    ])
    expect(Object.keys(await runsOf(parse(['catchup'], { NGIT_SYNC_PROFILE: 'weekly,nightly' })))).toEqual([
      'weekly',
      'nightly',
    ])
    expect(Object.keys(await runsOf(parse(['catchup', '--all-profiles'])))).toEqual(['nightly', 'weekly'])
    expect(Object.keys(await runsOf(parse(['catchup', '--all-profiles'], { NGIT_SYNC_PROFILE: 'weekly' })))).toEqual([
      'nightly',
      'weekly',
    ])
  })

  it('keep what a list of the defaults says only without a list of their own; so does the command line', async () => {
    const { parse, file } = place(PROFILES)
    const { weekly } = await runsOf(parse(['catchup', '--profile', 'weekly']))
    expect(weekly).toMatchObject({
      options: { sources: [join(dirname(file), 'archive.jsonl')], target: join(dirname(file), 'backup.jsonl') },
    })
    const { nightly } = await runsOf(parse(['catchup', '--profile', 'nightly', '--source', 'wss://three.example']))
    expect(nightly).toMatchObject({ options: { sources: ['wss://three.example'] } })
  })

  it('win over an option of the defaults that excludes one of theirs, as flags win over both', async () => {
    const { parse } = place(PROFILES)
    expect(await runsOf(parse(['catchup', '--profile', 'weekly']))).toMatchObject({
      weekly: { output: { verbose: true, quiet: false } },
    })
    const { weekly } = await runsOf(parse(['catchup', '--profile', 'weekly', '--since', '3d', '-q']))
    expect(weekly).toMatchObject({ options: { full: false }, output: { verbose: false, quiet: true } })
  })

  it('give names of files relative to the file', async () => {
    const { parse, file } = place(
      `profiles: { a: { ${ENDS}, key-file: ./key, state: ~/s.db, key-password-file: /etc/p } }`,
    )
    const { a } = await runsOf(parse(['catchup', '--profile', 'a']))
    expect(a).toMatchObject({ key: { keyFile: join(dirname(file), 'key'), passwordFile: '/etc/p' } })
    expect(a).toMatchObject({ stateFile: expect.stringMatching(/^\/(?!.*~).*\/s\.db$/) as string })
  })

  it('yield to a key in the environment', async () => {
    const { parse } = place(`profiles: { a: { ${ENDS}, key-file: ./key } }`)
    const { a } = await runsOf(parse(['catchup', '--profile', 'a'], { NGIT_SYNC_KEY: HEX }))
    expect(a).toMatchObject({ key: { keyFile: undefined } })
  })

  it('may hold options that a command does not take', async () => {
    const { parse } = place(PROFILES)
    expect(await runsOf(parse(['status', '--profile', 'nightly']))).toMatchObject({
      nightly: { type: 'status', target: 'wss://git.example' },
    })
  })

  it.each([
    [['--profile', 'nigthly'], 'no profile "nigthly" in FILE: did you mean nightly?'],
    [['--profile', 'x'], 'no profile "x" in FILE: it has nightly, weekly'],
    [['--profile'], '--profile needs a value: --profile <NAME>'],
    [['--profile', 'weekly', '--all-profiles'], '--profile and --all-profiles exclude each other: give one of them'],
    [['--config', '/dev/null', '--all-profiles'], '/dev/null has no profiles'],
    [
      [],
      'no target: give --target, NGIT_SYNC_TARGET, or "target" in the configuration file; or name a profile: --profile nightly, weekly',
    ],
  ])('are wrong as %j', async (argv, problem) => {
    expect(await place(PROFILES).problems(['catchup', ...argv])).toEqual([problem])
  })

  it('need a file', async () => {
    const [problem] = await place('', 'elsewhere.yaml').problems(['catchup', '--profile', 'a'])
    expect(problem).toMatch(/^no configuration file: give --config, or write .*\/ngit-sync\/config\.yaml$/)
  })

  it('cannot share standard input', async () => {
    const { problems } = place(
      'defaults: { source: "-" }\nprofiles: { a: { target: wss://a }, b: { target: wss://b } }',
    )
    expect(await problems(['catchup', '--all-profiles'])).toEqual([
      'standard input can be read once only, and a, b name it as a source',
    ])
  })
})

describe('a wrong value of the file', () => {
  it('is named with its line and column, each of a list with its own', async () => {
    const { problems } = place(
      'defaults:\n  source:\n    - wss://a\n    - http://b\n  target: wss://c\n  since: soon\n  quiet: maybe\n',
    )
    expect(await problems(['catchup'])).toEqual([
      'quiet (FILE:7:10) "maybe" is not a switch: give true or false',
      'source (FILE:4:7) "http://b" is not a relay: give ws://…',
      'since (FILE:6:10) "soon" is not a time: give Unix seconds, an ISO date, or a duration ago such as 12h or 3d',
    ])
  })

  it('is named in a conflict', async () => {
    const { problems } = place(`defaults:\n  full: true\n  since: 3d\n  source: wss://a\n  target: wss://b`)
    expect(await problems(['catchup'])).toEqual([
      'full (FILE:2:9) and since (FILE:3:10) exclude each other: give one of them',
    ])
  })

  it('is not repeated where it may hold a password', async () => {
    const { problems } = place('defaults: { source: "wss://me:hunter2@a", target: wss://b }')
    const [problem = ''] = await problems(['config'])
    expect(problem).toContain('source (FILE:1:21)')
    expect(problem).not.toContain('hunter2')
  })

  it('names the profile where not all of them have it', async () => {
    const { problems } = place(
      `defaults: { source: wss://a, rate: fast }\nprofiles:\n  a: { target: wss://b }\n  b: {}\n`,
    )
    expect(await problems(['catchup', '--all-profiles'])).toEqual([
      'rate (FILE:1:36) "fast" is not a rate: give for example 60/m, 1/s or 10/h, or none',
      'profile b: no target: give --target, NGIT_SYNC_TARGET, or "target" in the configuration file',
    ])
  })

  it('harms nobody where a stronger layer says better', async () => {
    const { parse } = place(`defaults: { ${ENDS}, overlap: nonsense }`)
    expect(await parse(['catchup', '--overlap', '2m'])).toMatchObject({ options: { overlapSeconds: 120 } })
  })
})

describe('config', () => {
  it('tells each value and where it comes from', async () => {
    const { parse } = place(PROFILES)
    const line = await parse(['config', '--profile', 'nightly', '--rate', '60/m'], { NGIT_SYNC_FULL: 'yes' })
    if (line.type !== 'config') throw new Error(line.type)
    const [profile] = line.overview.profiles
    expect(profile).toMatchObject({ profile: 'nightly', refusals: [] })
    const known = new Map(profile?.options.map((option) => [option.name, option]))
    expect(known.get('rate')).toMatchObject({ values: ['60/m'], from: 'flag', source: '--rate' })
    expect(known.get('full')).toMatchObject({ values: ['true'], from: 'variable', source: 'NGIT_SYNC_FULL' })
    expect(known.get('overlap')).toMatchObject({ values: ['10m'], from: 'profile', line: 10, column: 14 })
    expect(known.get('retries')).toMatchObject({ values: ['5'], from: 'defaults', line: 5, column: 12 })
    expect(known.get('idle-timeout')).toMatchObject({ values: ['30s'], from: 'default', line: null })
    expect(known.has('service')).toBe(false)
  })

  it('shows all profiles, or what there is without one', async () => {
    const all = await place(PROFILES).parse(['config'])
    expect(all).toMatchObject({ overview: { profiles: [{ profile: 'nightly' }, { profile: 'weekly' }] } })
    expect(await place('').parse(['config'])).toMatchObject({ overview: { profiles: [{ profile: null }] } })
  })

  it('prints as the command line says, whatever the file says of other commands', async () => {
    const { parse } = place('defaults: { json: true, no-color: true }')
    expect(await parse(['config'])).toMatchObject({ output: { json: false, color: true } })
    expect(await parse(['config', '--json'])).toMatchObject({ output: { json: true } })
  })

  it('finds a wrong value of any command', async () => {
    const { problems } = place('defaults:\n  output: ""\n  rate: fast\nprofiles:\n  a: { parked: perhaps }\n')
    expect(await problems(['config'])).toEqual(['FILE:2:11: output needs a value'])
    const values = place('defaults:\n  rate: fast\nprofiles:\n  a: { parked: perhaps, both: 7 }\n')
    expect(await values.problems(['config'])).toEqual([
      'rate (FILE:2:9) "fast" is not a rate: give for example 60/m, 1/s or 10/h, or none',
      'both (FILE:4:31) "7" is not a switch: give true or false',
      'parked (FILE:4:16) "perhaps" is not a switch: give true or false',
    ])
  })

  it('names variables that are misspelt, and says what catchup would refuse', async () => {
    const { parse, problems } = place('profiles: { a: { source: wss://a } }')
    expect(await problems(['config'], { NGIT_SYNC_TARGT: 'x' })).toEqual([
      'unknown variable NGIT_SYNC_TARGT: did you mean NGIT_SYNC_TARGET?',
    ])
    expect(await parse(['config'])).toMatchObject({
      overview: { profiles: [{ refusals: [expect.stringContaining('no target')] }] },
    })
  })
})
