import { chmodSync, chownSync, mkdirSync, statSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { NostrEvent } from '../../src/nostr/event.ts'
import type { Status } from '../../src/report/status.ts'
import { visibleWidth } from '../../src/cli/render/text-width.ts'
import type { ScriptedRelay } from '../support/scripted-relay.ts'
import { smallRepository } from '../support/scenes.ts'
import { waitFor } from '../support/wait-for.ts'
import { createWorkbench, endArguments, type Workbench } from '../support/workbench.ts'

const START = 1_700_000_000
const DAY = 86_400
const ERROR = 'error: computer says no'
const PURGATORY = "purgatory: won't be served until git data arrives"
/** Twelve repositories, each signed within four minutes, an hour after the one before. */
const many = Array.from({ length: 12 }, (_, n) => smallRepository({ d: `repo-${n}`, startAt: START + n * 3_600 }))

/** A target that takes the events of some repositories only, and a source with all of them. */
async function startAfterOutage(bench: Workbench): Promise<{ source: ScriptedRelay; target: ScriptedRelay }> {
  const [first, second, third] = many
  const answers = new Map([
    [first?.comment.id, { ok: false, text: ERROR }],
    [second?.comment.id, { ok: false, text: 'blocked: no comments here' }],
    [third?.state.id, { ok: true, text: PURGATORY, store: false }],
  ])
  const source = await bench.scripted({ events: many.flatMap(({ events }) => events) })
  const target = await bench.scripted({ onEvent: ({ id }: NostrEvent) => answers.get(id) ?? 'default' })
  return { source, target }
}

describe('catchup', () => {
  it('reports each repository with what became of its events', async () => {
    const bench = createWorkbench()
    const { source, target } = await startAfterOutage(bench)
    const { report } = await bench.catchup(source, target)
    const row = (n: number) => report.repositories.find(({ repository }) => repository === many[n]?.address)
    const none = { waiting: 0, refused: 0, pending: 0 }
    expect(report.repositories).toHaveLength(12)
    expect(row(0)).toEqual({ ...none, repository: many[0]?.address, name: 'repo-0', missing: 4, sent: 3, waiting: 1 })
    expect(row(1)).toMatchObject({ missing: 4, sent: 3, refused: 1 })
    expect(row(2)).toMatchObject({ missing: 4, sent: 3, pending: 1 })
    expect(row(5)).toMatchObject({ ...none, missing: 4, sent: 4 })
    expect(report.repositoriesLeftOut).toBe(0)
  })

  it('tells in one sentence when the missing events were signed', async () => {
    const bench = createWorkbench()
    const { source, target } = await startAfterOutage(bench)
    const { stdout } = await bench.run(['catchup', ...endArguments(source, target)])
    expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(
      /all 48 missing events were signed between 2023-11-14 22:13 and 2023-11-15 09:16 \(11 h\)/,
    )
  })

  it('shows the worst ten and sums up the others, within 80 columns', async () => {
    const bench = createWorkbench()
    const { source, target } = await startAfterOutage(bench)
    const { stdout } = await bench.run(['catchup', ...endArguments(source, target)])
    expect(stdout).toMatch(/ repository +name +missing +sent +waiting +refused +pending on git\n/)
    expect(stdout).toMatch(/ and 2 more +8 +8 +/)
    expect(stdout).toMatch(/ repository .*\n.*\/repo-0 .*\n.*\/repo-2 .*\n.*\/repo-1 /)
    expect(stdout.split('\n').filter((line) => visibleWidth(line) > 80)).toEqual([])
  })

  it('counts what a dry run would send as missing', async () => {
    const bench = createWorkbench()
    const { source, target } = await startAfterOutage(bench)
    const { report } = await bench.catchup(source, target, '--dry-run')
    expect(report.repositories.map(({ missing, sent }) => [missing, sent])).toEqual(many.map(() => [4, 0]))
    expect(report.signed.stretch).toMatchObject({ events: 48, of: 48 })
  })

  it('names none when nothing was missing', async () => {
    const bench = createWorkbench()
    const { source } = await startAfterOutage(bench)
    const target = await bench.scripted({ events: many.flatMap(({ events }) => events) })
    const { report } = await bench.catchup(source, target)
    expect([report.repositories, report.signed]).toEqual([[], { stretch: null, histogram: [] }])
  })
})

describe('retry', () => {
  it('reports what was parked, by repository', async () => {
    const bench = createWorkbench()
    const { source, target } = await startAfterOutage(bench)
    await bench.catchup(source, target)
    delete target.behaviour.onEvent
    bench.letPass(DAY)
    const result = await bench.run(['retry', '--json', '--target', target.url])
    expect(result.json<{ repositories: unknown[] }>().repositories).toMatchObject(
      expect.arrayContaining([expect.objectContaining({ name: 'repo-0', sent: 1, waiting: 0 })]) as unknown[],
    )
  })
})

describe('check', () => {
  it('names the repositories that the target lacks events of', async () => {
    const bench = createWorkbench()
    const { source } = await startAfterOutage(bench)
    const target = await bench.scripted({ events: many.slice(1).flatMap(({ events }) => events) })
    const result = await bench.run(['check', '--json', ...endArguments(source, target)])
    expect(result.json()).toMatchObject({
      exit: 5,
      repositories: [{ repository: many[0]?.address, name: 'repo-0', missing: 4, sent: 0 }],
      signed: { stretch: { from: START, to: START + 180, events: 4, of: 4 } },
    })
  })
})

describe('status', () => {
  const statusOf = async (bench: Workbench): Promise<Status['targets'][number] | undefined> =>
    (await bench.run(['status', '--json'])).json<Status>().targets[0]

  it('lists the repositories with events that wait or were refused', async () => {
    const bench = createWorkbench()
    const { source, target } = await startAfterOutage(bench)
    await bench.catchup(source, target)
    expect((await statusOf(bench))?.repositories).toEqual([
      ...[
        { name: 'repo-0', waiting: 1, refused: 0, pending: 0 },
        { name: 'repo-2', waiting: 0, refused: 0, pending: 1 },
        { name: 'repo-1', waiting: 0, refused: 1, pending: 0 },
      ].map((row) => ({ repository: many.find(({ address }) => address.endsWith(row.name))?.address, ...row })),
    ])
  })

  it('lists every source that was named, with its state and since when', async () => {
    const bench = createWorkbench()
    const { source, target } = await startAfterOutage(bench)
    const first = await bench.catchup([source, 'absent.jsonl'], target)
    bench.letPass(DAY)
    await bench.catchup(source, target)
    const sources = (await statusOf(bench))?.sources ?? []
    expect(sources.map(({ source: url, state }) => [url, state])).toEqual([
      ['absent.jsonl', 'unreached'],
      [source.url, 'drained'],
    ])
    expect(sources[0]).toMatchObject({ reason: expect.stringContaining('no such file') as string, drainedAt: null })
    expect(first.code).toBe(3)
  })

  it('tells the real exit codes of runs that could not begin: 4 and 1, and why', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: many[0]?.events ?? [] })
    const target = await bench.scripted({ onEvent: () => 'silent' })
    const running = bench.start(['catchup', ...endArguments(source, target)])
    await waitFor(() => target.received.events.length > 0, { timeoutMs: 20_000 })
    expect((await bench.run(['catchup', ...endArguments(source, target)])).code).toBe(4)
    running.kill('SIGINT')
    await running.finished
    await target.close()
    expect((await bench.run(['catchup', ...endArguments(source, target), '--retries', '0'])).code).toBe(1)
    const runs = (await statusOf(bench))?.runs ?? []
    expect(runs.map(({ exit }) => exit)).toEqual([1, 4, 130])
    expect(runs[1]?.reason).toContain('is being synchronised by process')
    expect(runs[0]?.reason).not.toBeNull()
  })

  it('tells the known targets when it does not know one', async () => {
    const bench = createWorkbench()
    const { source, target } = await startAfterOutage(bench)
    await bench.catchup(source, target)
    const { code, stderr } = await bench.run(['status', '--target', 'wss://unknown.example'])
    expect([code, stderr]).toEqual([2, expect.stringContaining(`it knows ${target.url}`)])
  })

  it.runIf(process.getuid?.() === 0)('says permission denied, not no such file, below a closed directory', async () => {
    const bench = createWorkbench()
    const closed = bench.path('closed')
    mkdirSync(closed)
    chmodSync(closed, 0o700)
    chownSync(closed, 65_534, 65_534)
    const args = ['status', '--state', `${closed}/state.db`]
    // Still root, who can read the program wherever it lies, but for once root has to obey.
    const obedient = ['setpriv', '--bounding-set=-dac_override,-dac_read_search']
    const { runCli } = await import('../support/run-cli.ts')
    const { code, stderr } = await runCli(args, { within: obedient })
    expect(statSync(closed).mode & 0o777).toBe(0o700)
    expect([code, stderr]).toEqual([1, expect.stringContaining('permission denied')])
    expect(stderr).not.toContain('no such file')
  })
})
