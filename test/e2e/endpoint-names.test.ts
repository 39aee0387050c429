import { linkSync, readFileSync, symlinkSync } from 'node:fs'

import { describe, expect, it } from 'vitest'

import { runHere } from '../support/run-here.ts'
import { smallRepository } from '../support/scenes.ts'
import { createWorkbench, endArguments } from '../support/workbench.ts'

const { events } = smallRepository()

describe('a relay URL with a slip (no false green #20)', () => {
  it.each(['relay.one', 'wss:/relay.one', 'wss//relay.one', 'http://relay.one'])('exits 2: %s', async (name) => {
    const bench = createWorkbench()
    const target = await bench.scripted()
    const asSource = await bench.run(['catchup', '--quiet', ...endArguments(name, target)])
    const asTarget = await bench.run(['catchup', '--json', ...endArguments(target, name)])
    expect([asSource.code, asTarget.code]).toEqual([2, 2])
    for (const { stderr } of [asSource, asTarget]) expect(stderr).toMatch(/give wss?:\/\//)
  })

  it('is a file where one of that name is there', async () => {
    const bench = createWorkbench()
    const target = await bench.scripted()
    const { code } = await bench.run(['catchup', ...endArguments(bench.file('relay.one', events), target)])
    expect([code, target.events.size]).toEqual([0, 4])
  })
})

describe('one relay under two spellings (no false green #21)', () => {
  it.each(['localhost', '127.0.0.2', '[::1]', '[::ffff:127.0.0.1]'])(
    'is refused as its own source: %s',
    async (host) => {
      const bench = createWorkbench()
      const relay = await bench.scripted({ events })
      const { code, stderr } = await bench.run(['check', ...endArguments(relay, `ws://${host}:${relay.port}`)])
      expect([code, stderr]).toEqual([2, expect.stringContaining('names the target itself')])
    },
  )

  it('shares its state, also with what was written under the name that was typed', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.scripted({ events }), bench.scripted()])
    await bench.catchup(source, target)
    const typed = `ws://localhost:${target.port}`
    bench.database((db) => {
      for (const table of ['run', 'coverage', 'anchor', 'spool', 'witness', 'announcement', 'known'])
        db.prepare(`UPDATE ${table} SET target = ? WHERE target = ?`).run(typed, target.url)
    })
    await bench.catchup(source, typed)
    const targets = bench.database((db) => db.prepare('SELECT DISTINCT target FROM coverage').all())
    expect(targets).toMatchObject([{ target: target.url }])
    const status = await bench.run(['status', '--json', '--target', typed])
    expect(status.json<{ targets: { runs: unknown[] }[] }>().targets[0]?.runs).toHaveLength(2)
  })

  it('shares its lock', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events, neverEose: true })
    const target = await bench.scripted()
    bench.start(['catchup', ...endArguments(source, target)])
    await expect.poll(() => source.received.reqs.length, { timeout: 20_000 }).toBeGreaterThan(0)
    const second = await bench.run(['catchup', ...endArguments(source, `ws://localhost:${target.port}`)])
    expect(second.code).toBe(4)
  })
})

describe('a target that is a link to its source (no false green #21)', () => {
  it.each([
    ['symbolic', symlinkSync],
    ['hard', linkSync],
  ])('is exit 2, and the file stays as it was: %s', async (_sort, link) => {
    const bench = createWorkbench()
    const file = bench.file('events.jsonl', events)
    const before = readFileSync(file, 'utf8')
    link(file, bench.path('link.jsonl'))
    for (const args of [['catchup'], ['check'], ['catchup', '--dry-run']]) {
      const { code, stderr } = await bench.run([...args, ...endArguments(file, bench.path('link.jsonl'))])
      expect([code, stderr]).toEqual([2, expect.stringContaining('are one file')])
    }
    const target = await bench.scripted()
    const output = await bench.run(['check', ...endArguments(file, target), '--output', bench.path('link.jsonl')])
    expect([output.code, readFileSync(file, 'utf8')]).toEqual([2, before])
  })
})

describe('the query of a URL (no false green #22)', () => {
  it('is dialled, and shown nowhere', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.scripted({ events }), bench.scripted()])
    const [from, gone, to] = [
      `${source.url}/?token=s3cret`,
      'ws://127.0.0.1:1/?key=s3cret',
      `${target.url}/?key=s3cret`,
    ]
    const args = [...endArguments([from, gone], to), '--retries', '0']
    const runs = [
      await bench.run(['catchup', ...args, '--verbose']),
      await bench.run(['catchup', ...args, '--json']),
      await bench.run(['catchup', ...args, '--quiet']),
      await bench.run(['check', ...args]),
      await bench.run(['status']),
      await bench.run(['status', '--json']),
      await runHere(['relay', gone, '--retries', '0']),
      await runHere(['relay', from]),
      await bench.run(['catchup', ...endArguments(from, gone), '--retries', '0']),
      await bench.run(['catchup', ...endArguments('wss:/relay.one?x=s3cret', to)]),
    ]
    expect(runs.map(({ code }) => code)).toEqual([3, 3, 3, 3, 0, 0, 1, 0, 1, 2])
    for (const { stdout, stderr } of runs) expect(stdout + stderr).not.toContain('s3cret')
    expect(runs[0]?.stdout).toContain(`${source.url}?…`)
    expect(target.events.size).toBe(4)
  })

  it('tells two sources apart', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.scripted({ events }), bench.scripted()])
    const { report } = await bench.catchup([`${source.url}/?a=1`, `${source.url}/?a=2`], target)
    expect(new Set(report.sources.map(({ url }) => url)).size).toBe(2)
  })
})

describe('--since 0 (no false green #23)', () => {
  it.each([['0'], ['1'], ['86400']])('is a time: %s', async (since) => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.scripted({ events }), bench.scripted()])
    const { code } = await bench.run(['backfill', ...endArguments(source, target), '--since', since])
    expect([code, target.events.size]).toEqual([0, 4])
  })
})
