import { writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

import type { Report } from '../../src/report/report.ts'
import { runCli } from '../support/run-cli.ts'
import { smallRepository } from '../support/scenes.ts'
import { waitFor } from '../support/wait-for.ts'
import { createWorkbench, type Workbench } from '../support/workbench.ts'

const { events } = smallRepository()
const UNREACHABLE = 'ws://127.0.0.1:9'

type Profiles = Readonly<Record<string, Readonly<Record<string, unknown>>>>

/** Writes a configuration file into the directory of the bench; returns the options that name it. */
function configure(bench: Workbench, profiles: Profiles, defaults: object = {}): string[] {
  const file = bench.path('config.yaml')
  const common = { retries: 0, 'connect-timeout': '5s', ...defaults }
  writeFileSync(file, JSON.stringify({ defaults: common, profiles }))
  return ['--config', file]
}

function reportsOf(stdout: string): Report[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Report)
}

describe('catchup with profiles', () => {
  it('runs one after the other and prints a document for each, on a line of its own', async () => {
    const bench = createWorkbench()
    const source = bench.file('source.jsonl', events)
    const [one, two] = [bench.path('one.jsonl'), bench.path('two.jsonl')]
    const config = configure(bench, { one: { target: one }, two: { target: two } }, { source })
    const { code, stdout, stderr } = await bench.spawn(['catchup', ...config, '--all-profiles', '--json'])
    expect([code, stderr]).toEqual([0, ''])
    expect(reportsOf(stdout)).toMatchObject([
      { profile: 'one', target: one, exit: 0 },
      { profile: 'two', target: two, exit: 0 },
    ])
    expect(bench.readFile(one)).toHaveLength(events.length)
    expect(bench.readFile(two)).toHaveLength(events.length)
  })

  it('names the profile above each report', async () => {
    const bench = createWorkbench()
    const source = bench.file('source.jsonl', events)
    const profiles = { b: { target: bench.path('b.jsonl') }, a: { target: bench.path('a.jsonl') } }
    const config = configure(bench, profiles, { source })
    const { stdout } = await bench.run(['catchup', ...config, '--profile', 'a', '--profile', 'b'])
    expect(stdout).toMatch(/^profile {2}a\ntarget {3}\S*a\.jsonl[^]*\n\nprofile {2}b\ntarget {3}\S*b\.jsonl/)
  })

  it('goes on after a failure, tells which profile failed, and ends with the worst exit code', async () => {
    const bench = createWorkbench()
    const source = bench.file('source.jsonl', events)
    const [good, half] = [bench.path('good.jsonl'), bench.path('half.jsonl')]
    const config = configure(bench, {
      down: { source, target: UNREACHABLE },
      half: { source: [source, UNREACHABLE], target: half },
      good: { source, target: good },
    })
    const both = await bench.run(['catchup', ...config, '--profile', 'half', 'good', '--quiet', '--json'])
    const told = reportsOf(both.stdout).map(({ profile, exit }) => [profile, exit])
    expect([both.code, told]).toEqual([
      3,
      [
        ['half', 3],
        ['good', 0],
      ],
    ])
    const all = await bench.run(['catchup', ...config, '--all-profiles', '--quiet'])
    expect(all.code).toBe(1)
    expect(all.stderr).toMatch(/^profile {2}down\nerror: .*127\.0\.0\.1:9/)
    expect(all.stderr).toMatch(
      /\nprofiles\n {2}down: failed \(1\)\n {2}half: partial \(3\)\n {2}good: complete \(0\)\n$/,
    )
    expect(all.stdout).toContain('profile  half\n')
    expect(all.stdout).not.toContain('profile  good')
    expect(bench.readFile(good)).toHaveLength(events.length)
  })

  it('runs none when one of them is wrong', async () => {
    const bench = createWorkbench()
    const source = bench.file('source.jsonl', events)
    const config = configure(bench, { good: { source, target: bench.path('x.jsonl') }, bad: { source } })
    const { code, stdout, stderr } = await bench.run(['catchup', ...config, '--all-profiles'])
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain('error: profile bad: no target: ')
    expect(() => bench.readFile(bench.path('x.jsonl'))).toThrow('ENOENT')
  })

  it('ends the rest at a signal', async () => {
    const bench = createWorkbench()
    const silent = await bench.scripted({ connections: 'hang' })
    const source = bench.file('source.jsonl', events)
    const config = configure(
      bench,
      {
        first: { source: silent.url, target: bench.path('a.jsonl') },
        second: { source, target: bench.path('b.jsonl') },
      },
      { 'connect-timeout': '60s' },
    )
    const run = bench.start(['catchup', ...config, '--all-profiles'])
    await waitFor(() => silent.received.documents > 0, { timeoutMs: 20_000, what: 'the first profile to connect' })
    run.kill('SIGTERM')
    const { code, stderr } = await run.finished
    expect(code).toBe(143)
    expect(stderr).toMatch(/first: terminated \(143\)\n {2}second: not run\n$/)
    expect(() => bench.readFile(bench.path('b.jsonl'))).toThrow('ENOENT')
  })
})

describe('check with profiles', () => {
  it('exits 5 where one side differs', async () => {
    const bench = createWorkbench()
    const source = bench.file('source.jsonl', events)
    const less = bench.file('less.jsonl', events.slice(0, 1))
    const config = configure(
      bench,
      { same: { target: bench.file('same.jsonl', events) }, less: { target: less } },
      { source },
    )
    const { code, stdout } = await bench.run(['check', ...config, '--all-profiles', '--json'])
    expect([code, reportsOf(stdout).map(({ exit }) => exit)]).toEqual([5, [0, 5]])
  })
})

describe('config', () => {
  it('prints the values with their lines, and no secret, at most 80 columns wide for short values', async () => {
    const bench = createWorkbench()
    const file = bench.path('config.yaml')
    writeFileSync(
      file,
      'defaults:\n  source: [wss://one.example, "wss://two.example?token=hunter2"]\nprofiles:\n  nightly:\n    target: ws://localhost:7443\n    quiet: true\n',
    )
    const env = { NGIT_SYNC_KEY: 'f'.repeat(64), NGIT_SYNC_RATE: '60/m' }
    const { code, stdout } = await bench.run(['config', '--config', file], { env })
    expect(code).toBe(0)
    expect(stdout).not.toMatch(/hunter2|ffff/)
    const lines = stdout.split('\n').map((line) => line.replaceAll(/ +/g, ' ').trim())
    expect(lines).toEqual(
      expect.arrayContaining([
        'secret NGIT_SYNC_KEY is set (its value is never shown)',
        'profile nightly',
        'source wss://one.example defaults, line 2',
        'target ws://localhost:7443 profile nightly, line 5',
        'quiet true profile nightly, line 6',
        'rate 60/m NGIT_SYNC_RATE',
      ]),
    )
    expect(stdout.split('\n').filter((line) => line.length > 80 && !line.includes(bench.stateFile))).toEqual([])
    const json = await bench.run(['config', '--config', file, '--json'], { env })
    expect(json.stdout).not.toMatch(/hunter2|ffff/)
    expect(json.json<object>()).toMatchObject({ version: 1, file, secrets: ['NGIT_SYNC_KEY'] })
  })

  it('exits 2 for a wrong file, with the line, escaped', async () => {
    const bench = createWorkbench()
    const file = bench.path('config.yaml')
    writeFileSync(file, 'defaults:\n  "\\e[2Jx": 1\n')
    const { code, stderr } = await bench.run(['config', '--config', file])
    expect(code).toBe(2)
    expect(stderr).toContain(`error: ${file}:2:3: unknown option "\\x1b[2Jx"`)
  })
})

describe('--version --verbose', () => {
  it('prints the versions of what the program runs on', async () => {
    const { code, stdout } = await runCli(['--version', '--verbose'])
    expect(code).toBe(0)
    expect(stdout).toMatch(
      /^ngit-sync +\d+\.\d+\.\d+\nnode +\d+\.\S+\nsqlite +3\.\S+\nschema +\d+ of the state file\nplatform +linux/,
    )
  })
})
