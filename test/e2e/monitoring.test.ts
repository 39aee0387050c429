import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { generateHistory } from '../support/generate.ts'
import { waitFor } from '../support/wait-for.ts'
import { createWorkbench, endArguments, type Workbench } from '../support/workbench.ts'

const EVENTS = [...generateHistory({ repositories: 2, rootsPerRepository: 2, commentsPerRoot: 1 })]

/** A watchdog that keeps what it is told. */
async function watchdog() {
  const told: string[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (part: string) => (body += part))
    request.on('end', () => {
      told.push(`${request.url ?? ''} ${body.trim()}`.trim())
      response.end('OK')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/secret-path`, told }
}

/** The value of the only series of a metric; `undefined` without one. */
function metric(file: string, name: string, labels = ''): number | undefined {
  const lines = readFileSync(file, 'utf8').split('\n')
  const line = lines.find((text) => text.startsWith(`ngit_sync_${name}{`) && text.includes(labels))
  return line === undefined ? undefined : Number(line.split(' ').at(-1))
}

/** A complete run, its metrics, and its ends for further runs. */
async function completeRun(bench: Workbench, args: readonly string[] = [], run: Workbench['run'] = bench.run) {
  const [source, target] = await Promise.all([bench.scripted({ events: EVENTS }), bench.scripted()])
  const ends = endArguments(source, target)
  const metrics = bench.path('a.prom')
  const result = await run(['catchup', ...ends, '--metrics-file', metrics, ...args])
  return { source, target, ends, metrics, result }
}

describe('the metrics file', () => {
  it('holds what a complete run did', async () => {
    const bench = createWorkbench()
    const { metrics, result } = await completeRun(bench, [], bench.spawn)
    expect([result.code, result.stderr]).toEqual([0, ''])
    expect(metric(metrics, 'last_run_exit_code')).toBe(0)
    expect(metric(metrics, 'last_success_timestamp_seconds')).toBe(metric(metrics, 'last_run_timestamp_seconds'))
    expect(metric(metrics, 'last_run_outcome_events', 'layer="threads",outcome="accepted"')).toBeGreaterThan(0)
    expect(metric(metrics, 'source_drained')).toBe(1)
    expect(metric(metrics, 'parked_events')).toBe(0)
    expect(statSync(metrics).mode & 0o777).toBe(0o644)
  })

  it('keeps the last success over a target that is gone, also when the file was lost', async () => {
    const bench = createWorkbench()
    const { target, ends, metrics } = await completeRun(bench)
    const success = metric(metrics, 'last_success_timestamp_seconds')
    await target.close()
    writeFileSync(metrics, '')
    const { code } = await bench.run(['catchup', ...ends, '--metrics-file', metrics, '--retries', '0'])
    expect([code, metric(metrics, 'last_run_exit_code')]).toEqual([1, 1])
    const now = metric(metrics, 'last_success_timestamp_seconds') ?? 0
    // The state file knows the start and the duration of the run, without its begin in the program.
    expect(Math.abs(now - (success ?? 0))).toBeLessThanOrEqual(2)
    expect(metric(metrics, 'source_drained')).toBe(0)
  })

  it('counts what waits, and the runs that did not read a source', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: EVENTS })
    // Nothing listens at port 1; the port of a relay that was closed may be given to another test.
    const gone = { url: 'ws://127.0.0.1:1' }
    const target = await bench.scripted({ onEvent: () => ({ ok: false, text: 'error: later' }) })
    const metrics = bench.path('a.prom')
    const args = ['catchup', ...endArguments([source, gone], target), '--metrics-file', metrics, '--retries', '0']
    expect([(await bench.run(args)).code, (await bench.run(args)).code]).toEqual([3, 3])
    expect(metric(metrics, 'last_run_exit_code')).toBe(3)
    expect(metric(metrics, 'last_success_timestamp_seconds')).toBeUndefined()
    expect(metric(metrics, 'parked_events', 'outcome="waiting"')).toBeGreaterThan(0)
    expect(metric(metrics, 'parked_oldest_timestamp_seconds')).toBeGreaterThan(1_700_000_000)
    expect(metric(metrics, 'source_undrained_runs', `source="${source.url}"`)).toBe(0)
    expect(metric(metrics, 'source_undrained_runs', `source="${gone.url}"`)).toBe(2)
  })

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('is written after %s', async (signal, exit) => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: EVENTS })
    const target = await bench.scripted({ onEvent: () => ({ ok: true, delayMs: 200 }) })
    const metrics = bench.path('a.prom')
    const cli = bench.start(['catchup', ...endArguments(source, target), '--metrics-file', metrics])
    await waitFor(() => target.received.events.length > 0, { timeoutMs: 20_000 })
    cli.kill(signal)
    expect((await cli.finished).code).toBe(exit)
    expect(metric(metrics, 'last_run_exit_code')).toBe(exit)
    expect(metric(metrics, 'last_success_timestamp_seconds')).toBeUndefined()
  })

  it.each([
    ['wrong usage found late', 2, ['--repo', `30617:${'a'.repeat(64)}:nothing`]],
    ['the end of the time', 3, ['--max-duration', '1ms']],
  ])('is written after %s', async (_, exit, args) => {
    const { metrics, result } = await completeRun(createWorkbench(), args)
    expect([result.code, metric(metrics, 'last_run_exit_code')]).toEqual([exit, exit])
  })

  it('is written when the target refuses us', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: EVENTS })
    const target = await bench.scripted({ onEvent: () => ({ ok: false, text: 'blocked: you are banned' }) })
    const metrics = bench.path('a.prom')
    const { code } = await bench.run(['catchup', ...endArguments(source, target), '--metrics-file', metrics])
    expect([code, metric(metrics, 'last_run_exit_code')]).toEqual([1, 1])
    expect(metric(metrics, 'parked_events', 'outcome="unsent"')).toBeGreaterThan(0)
  })

  it('keeps its own last success for check, which leaves no trace in the state file', async () => {
    const bench = createWorkbench()
    const { ends, target } = await completeRun(bench)
    const metrics = bench.path('check.prom')
    const check = ['check', ...ends, '--metrics-file', metrics, '--retries', '0']
    expect((await bench.run(check)).code).toBe(0)
    const success = metric(metrics, 'last_success_timestamp_seconds')
    expect(metric(metrics, 'check_missing_events')).toBe(0)
    await target.close()
    expect((await bench.run(check)).code).toBe(1)
    expect(metric(metrics, 'last_success_timestamp_seconds')).toBe(success)
  })

  it('is not written by a dry run, which proves nothing', async () => {
    const { metrics, result } = await completeRun(createWorkbench(), ['--dry-run'])
    expect([result.code, existsSync(metrics)]).toEqual([0, false])
  })

  it('is readable by others whatever the umask, and replaces one that nobody can read', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.scripted({ events: EVENTS }), bench.scripted()])
    const within = ['sh', '-c', 'umask 077; exec "$@"', 'sh']
    const metrics = bench.path('a.prom')
    writeFileSync(metrics, '', { mode: 0o000 })
    const args = ['catchup', ...endArguments(source, target), '--metrics-file', metrics]
    expect((await bench.spawn(args, { within })).code).toBe(0)
    expect(statSync(metrics).mode & 0o777).toBe(0o644)
  })

  it('changes no exit code if it cannot be written at the end, but says so', async () => {
    const bench = createWorkbench()
    const directory = bench.path('metrics')
    mkdirSync(directory)
    const source = await bench.scripted({ events: EVENTS })
    const target = await bench.scripted({
      onEvent: () => {
        rmSync(directory, { recursive: true, force: true })
        return { ok: true }
      },
    })
    const metrics = `${directory}/a.prom`
    const { code, stderr } = await bench.run(['catchup', ...endArguments(source, target), '--metrics-file', metrics])
    expect([code, stderr]).toEqual([0, `warning: the metrics file ${metrics} could not be written: no such file\n`])
  })

  it('is refused before anything happens if its place is wrong', async () => {
    const bench = createWorkbench()
    const target = await bench.scripted()
    const file = bench.file('source.jsonl', EVENTS)
    for (const [name, problem] of [
      ['/nowhere/a.prom', 'cannot be written: its directory: no such file'],
      ['a.txt', 'does not end in .prom'],
    ]) {
      const { code, stderr } = await bench.run(['catchup', ...endArguments(file, target), '--metrics-file', name ?? ''])
      expect([code, stderr]).toEqual([2, expect.stringContaining(problem ?? '')])
    }
    expect(target.received.connections).toBe(0)
  })
})

describe('--ping', () => {
  it('tells a watchdog the start and the end, with the verdict', async () => {
    const [dog, bench] = [await watchdog(), createWorkbench()]
    const { result } = await completeRun(bench, ['--ping', dog.url, '--quiet'], bench.spawn)
    expect([result.code, result.stdout, result.stderr]).toEqual([0, '', ''])
    expect(dog.told).toEqual(['/secret-path/start', expect.stringMatching(/^\/secret-path complete \(0\): .+ took /)])
  })

  it('tells the exit code of a run that failed, and the error', async () => {
    const bench = createWorkbench()
    const [source, target, dog] = await Promise.all([bench.scripted(), bench.scripted(), watchdog()])
    await target.close()
    const args = ['catchup', ...endArguments(source, target), '--retries', '0', '--ping', dog.url]
    expect((await bench.run(args)).code).toBe(1)
    expect(dog.told[1]).toMatch(/^\/secret-path\/1 failed \(1\): error: connect to ws:/)
  })

  it('changes no exit code when nobody answers, and keeps the secret', async () => {
    const [dog, bench] = [await watchdog(), createWorkbench()]
    const url = dog.url.replace(/\d+\//, '9/')
    const { result } = await completeRun(bench, ['--ping', url], bench.spawn)
    expect(result.code).toBe(0)
    expect(result.stderr).toMatch(/^warning: --ping to http:\/\/127\.0\.0\.1:9\/… failed: .+\n$/)
  })

  it.each([
    ['not a URL', 'is not an http:// or https:// URL'],
    ['ftp://dog.example/hidden', 'is not an http:// or https:// URL'],
    ['https://me:hidden@dog.example/hidden', 'holds a user name or a password'],
  ])('refuses %s without repeating it', async (url, problem) => {
    const { result } = await completeRun(createWorkbench(), ['--ping', url])
    expect([result.code, result.stderr]).toEqual([2, expect.stringContaining(`error: --ping ${problem}`)])
    expect(result.stderr).not.toContain('hidden')
  })
})

describe('the log', () => {
  it('tells a run from its begin to its verdict', async () => {
    const bench = createWorkbench()
    const log = bench.path('a.log')
    const { source, target, result } = await completeRun(bench, ['--log-file', log], bench.spawn)
    expect([result.code, result.stderr]).toEqual([0, ''])
    const lines = readFileSync(log, 'utf8').trimEnd().split('\n')
    const messages = lines.map((line) => line.slice(31))
    expect(messages[0]).toBe(`catchup: target ${target.url} from ${source.url}`)
    expect(messages).toEqual(
      expect.arrayContaining([
        `${source.url}: connected`,
        'reading 1 announcements',
        'reading 3 threads',
        'selecting what to send',
        `sending ${EVENTS.length} events`,
        'asking for what was sent',
        expect.stringMatching(/: 3 threads: checkpoints of \d+ anchors moved$/),
        expect.stringMatching(/: read to its end, \d+ events$/),
      ]),
    )
    expect(messages.at(-1)).toMatch(/^complete \(0\): /)
    expect(statSync(log).mode & 0o777).toBe(0o600)
  })

  it('tells each event at level debug, as JSON', async () => {
    const bench = createWorkbench()
    const log = bench.path('a.log')
    await completeRun(bench, ['--log-file', log, '--log-level', 'debug', '--log-format', 'json'])
    const lines = readFileSync(log, 'utf8').trimEnd().split('\n')
    const events = lines.map((line) => JSON.parse(line) as { type: string; id?: string; state?: string })
    const sent = events.filter(({ type }) => type === 'sent').map(({ id }) => id)
    const settled = events.filter(({ state }) => state === 'settled').map(({ id }) => id)
    expect(sent.toSorted()).toEqual(EVENTS.map(({ id }) => id).sort())
    expect(settled.toSorted()).toEqual(sent.toSorted())
    expect(events.map(({ type }) => type)).toEqual(expect.arrayContaining(['page', 'end', 'document', 'checkpoint']))
  })

  it('tells what a target refuses, escaped, and that it is slower', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: EVENTS })
    let count = 0
    const target = await bench.scripted({
      onEvent: () => {
        count += 1
        return count === 1
          ? { ok: false, text: 'rate-limited: slow down' }
          : { ok: false, text: `blocked: \u001b[2J number ${count}` }
      },
    })
    const log = bench.path('a.log')
    await bench.run(['catchup', ...endArguments(source, target), '--log-file', log])
    const text = readFileSync(log, 'utf8')
    expect(text).toContain(`${target.url}: slower: rate-limited: slow down`)
    expect(text).toContain('blocked: \\x1b[2J number')
    expect(text).not.toContain('\u001b')
  })

  it('is shown while it happens with --verbose', async () => {
    const { result, source } = await completeRun(createWorkbench(), ['--verbose'])
    expect(result.stderr).toMatch(/^\d\d:\d\d:\d\d catchup: target /)
    expect(result.stderr).toContain(`${source.url}: connected\n`)
    expect(result.stderr).not.toContain('complete (0)')
    expect(result.stdout).toMatch(/complete \(0\): /)
  })

  it('is never one of the files of the run', async () => {
    const bench = createWorkbench()
    const file = bench.file('source.jsonl', EVENTS)
    const target = await bench.scripted()
    const args = ['catchup', ...endArguments(file, target), '--log-file']
    for (const taken of [file, bench.stateFile]) {
      const { code, stderr } = await bench.run([...args, taken])
      expect([code, stderr]).toEqual([2, expect.stringContaining('are one file: give another file')])
    }
    expect(bench.readFile(file)).toHaveLength(EVENTS.length)
  })
})

describe('--stats', () => {
  it('prints what is being done where there is no terminal', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: EVENTS })
    const target = await bench.scripted({ onEvent: () => ({ ok: true, delayMs: 100 }) })
    const { code, stderr } = await bench.spawn(['catchup', ...endArguments(source, target), '--stats', '20ms'])
    expect(code).toBe(0)
    expect(stderr).toMatch(/^sending {2}\d+\/\d+/m)
  })
})
