import { writeFileSync, readFileSync } from 'node:fs'

import { describe, expect, it } from 'vitest'

import type { Report } from '../../src/report/report.ts'
import type { Status } from '../../src/report/status.ts'
import { acquireLock } from '../../src/store/lock.ts'
import { stateKey } from '../../src/store/state-key.ts'
import { generateHistory } from '../support/generate.ts'
import { reportSchema } from '../support/report-schema.ts'
import { runHere } from '../support/run-here.ts'
import { smallRepository } from '../support/scenes.ts'
import { waitFor } from '../support/wait-for.ts'
import { createWorkbench, differenceOf, endArguments, type End, type Workbench } from '../support/workbench.ts'

const OF = 4
const SHARDS = [1, 2, 3, 4]
/** The shard with the most repositories of this history. */
const LARGEST = 4
const HISTORY = [...generateHistory({ repositories: 12, rootsPerRepository: 2, commentsPerRoot: 2 })]

function shardArguments(source: End, target: End, number: number): string[] {
  return ['catchup', ...endArguments(source, target), '--scope', 'all', '--json', '--shard', `${number}/${OF}`]
}

/** Runs shards at once on the state file of the bench, each as a process of its own; returns the files of their reports. */
async function spawnShards(bench: Workbench, source: End, target: End): Promise<string[]> {
  const ends = await Promise.all(SHARDS.map((number) => bench.spawn(shardArguments(source, target, number))))
  return ends.map(({ code, stdout, stderr }, index) => {
    if (code !== 0) throw new Error(`shard ${index + 1} ended with ${code}: ${stderr}${stdout}`)
    const file = bench.path(`shard-${index + 1}.json`)
    writeFileSync(file, stdout)
    return file
  })
}

function merge(files: readonly string[], stdin = '') {
  return runHere(['merge-reports', ...files, '--json'], { stdin })
}

/** Kills a shard while it sends. */
async function killShard(bench: Workbench, source: End, target: End & { events(): readonly unknown[] }): Promise<void> {
  const shard = bench.start([...shardArguments(source, target, LARGEST), '--rate', '10/s'])
  await waitFor(() => target.events().length > 2)
  shard.kill('SIGKILL')
  await shard.finished
}

/** What must be the same however the work was divided. */
function essenceOf(report: Report) {
  const { exit, complete, scope, range, problems, check } = report
  // Every shard fetches all announcements.
  const totals = { ...report.totals, fetched: 0 }
  const layers = report.layers.map((layer) => ({ ...layer, fetched: 0 }))
  const ends = report.sources.map(({ url, complete: isRead, layers: read }) => [
    url,
    isRead,
    read.map(({ end }) => end),
  ])
  return {
    exit,
    complete,
    repositories: scope.repositories,
    range: range.completeSince,
    totals,
    layers,
    ends,
    problems,
    check,
  }
}

describe('--shard', () => {
  it('four processes at once, on one state file, do what one run does, and their reports make its report', async () => {
    const [bench, other] = [createWorkbench(), createWorkbench()]
    const source = await bench.real({ events: HISTORY })
    const [target, wholeTarget] = [await bench.real(), await bench.real()]
    const whole = await other.catchup(source, wholeTarget, '--scope', 'all')
    const files = await spawnShards(bench, source, target)
    const merged = await merge(files)
    const report = reportSchema.parse(merged.json())
    expect(essenceOf(report)).toEqual(essenceOf(whole.report))
    expect([merged.code, report.merged?.missing]).toEqual([0, []])
    expect(differenceOf(target.events(), wholeTarget.events())).toEqual({ missing: [], extra: [] })
    const without = await merge(
      ['-'],
      files
        .slice(1)
        .map((file) => readFileSync(file, 'utf8'))
        .join(''),
    )
    expect([without.code, without.json<Report>().merged?.missing]).toEqual([3, [1]])
    const again = await merge(await spawnShards(bench, source, target))
    expect([again.code, again.json<Report>().totals.published]).toEqual([0, 0])
  })

  it('goes on where it was killed, and leaves nothing out', async () => {
    const bench = createWorkbench()
    const [source, target] = [await bench.real({ events: HISTORY }), await bench.real()]
    await killShard(bench, source, target)
    const sent = target.events().length
    const reports: Report[] = []
    for (const number of SHARDS) reports.push((await bench.run(shardArguments(source, target, number))).json<Report>())
    expect(reports.map(({ exit }) => exit)).toEqual([0, 0, 0, 0])
    expect(differenceOf(target.events(), HISTORY)).toEqual({ missing: [], extra: [] })
    expect(sent + reports.reduce((sum, { totals }) => sum + totals.published, 0)).toBe(HISTORY.length)
  })

  it('keeps checkpoints that neither another shard nor a run without shards believes', async () => {
    const bench = createWorkbench()
    const events = ['a', 'b', 'c', 'd'].flatMap((d) => smallRepository({ d }).events)
    const source = await bench.real({ events })
    const target = await bench.real({ events })
    const run = async (...args: readonly string[]) => {
      const { report } = await bench.catchup(source, target, '--scope', 'all', ...args)
      return report.sources[0]?.layers[0]?.mode
    }
    expect(await run('--shard', '1/2')).not.toBe('since')
    expect(await run('--shard', '1/2')).toBe('since')
    expect(await run('--shard', '2/2')).not.toBe('since')
    expect(await run('--shard', '1/4')).not.toBe('since')
    expect(await run()).not.toBe('since')
    const status = (await bench.run(['status', '--json', '--target', target.url])).json<Status>()
    expect(status.targets.map(({ target: url, shard }) => [url, shard?.number, shard?.of])).toEqual([
      [target.url, undefined, undefined],
      [target.url, 1, 2],
      [target.url, 2, 2],
      [target.url, 1, 4],
    ])
    const { stdout } = await bench.run(['status', '--target', target.url, '--shard', '2/2'])
    expect(stdout.match(/shard \d of \d/g)).toEqual(['shard 2 of 2'])
  })

  it('has a lock for each shard', async () => {
    const bench = createWorkbench()
    const { events } = smallRepository()
    const [source, target] = [await bench.real({ events }), await bench.real({ events })]
    const holder = { pid: 1, host: 'here', startedAt: 1_700_000_000 }
    const lock = acquireLock(bench.stateFile, stateKey(target.url, { number: 1, of: 2 }), holder)
    const exits = []
    for (const part of ['1/2', '2/2']) exits.push((await bench.catchup(source, target, '--shard', part)).code)
    lock.release()
    expect(exits).toEqual([4, 0])
  })

  it.each([
    ['catchup', '5/4', /"5\/4" is no part/],
    ['serve', '1/2', /--shard is not an option of serve/],
  ])('%s refuses %s', async (command, part, problem) => {
    const bench = createWorkbench()
    const ends = endArguments('ws://127.0.0.1:1', 'ws://127.0.0.1:2')
    const { code, stderr } = await bench.run([command, ...ends, '--shard', part])
    expect([code, stderr]).toEqual([2, expect.stringMatching(problem)])
  })

  it('refuses a file as the target: two processes cannot append to one', async () => {
    const bench = createWorkbench()
    const { code, stderr } = await bench.run([
      'catchup',
      ...endArguments('ws://127.0.0.1:1', 'out.jsonl'),
      '--shard',
      '1/2',
    ])
    expect([code, stderr]).toEqual([2, expect.stringContaining('--shard needs a relay as the target')])
  })
})
