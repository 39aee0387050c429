import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { gunzipSync, gzipSync } from 'node:zlib'

import { describe, expect, it } from 'vitest'

import type { Report } from '../../src/report/report.ts'
import { expectedOfEverything } from '../support/expected-events.ts'
import { generateHistory } from '../support/generate.ts'
import { readFixture } from '../support/make-signed-fixture.ts'
import { announcement, deletion } from '../support/builders.ts'
import { alice, bob, smallRepository } from '../support/scenes.ts'
import { forge } from '../support/sign.ts'
import { createWorkbench, idsOf, nowSeconds, parseLines } from '../support/workbench.ts'

const mine = smallRepository()

describe('a JSONL file as source', () => {
  it('is copied to a relay', async () => {
    const bench = createWorkbench()
    const all = [...readFixture('nip34'), ...readFixture('noise'), ...readFixture('signed')]
    const target = await bench.real()
    const { code, report } = await bench.catchup(bench.file('events.jsonl', all), target)
    expect(idsOf(target.events())).toEqual(idsOf(expectedOfEverything(all, nowSeconds())))
    expect(report.sources[0]).toMatchObject({ url: bench.path('events.jsonl'), complete: true })
    expect(code).toBe(0)
  })

  it('has no checkpoint: the next run reads it whole again, and sends only what is new', async () => {
    const bench = createWorkbench()
    const target = await bench.scripted()
    const file = bench.file('events.jsonl', mine.events.slice(0, 3))
    await bench.catchup(file, target)
    bench.file('events.jsonl', mine.events)
    target.forgetReceived()
    const { code, report } = await bench.catchup(file, target)
    expect(target.received.events).toEqual([mine.comment])
    expect(report.sources[0]?.layers.map(({ mode }) => mode)).toEqual(['full', 'full', 'full'])
    expect([code, bench.checkpoints()]).toEqual([0, []])
  })

  it('may be compressed', async () => {
    const bench = createWorkbench()
    const file = bench.path('events.jsonl.gz')
    writeFileSync(file, gzipSync(mine.events.map((event) => JSON.stringify(event)).join('\n')))
    const target = await bench.real()
    const { code } = await bench.catchup(file, target)
    expect(idsOf(target.events())).toEqual(idsOf(mine.events))
    expect(code).toBe(0)
  })

  it('with broken lines is partial, and each line is named by its number', async () => {
    const bench = createWorkbench()
    const [first = mine.announced, ...others] = mine.events
    const lines = [first, '{"id":', '', ...others, '{"hello":"world"}', JSON.stringify(['EVENT', first])]
    const target = await bench.real()
    const { code, report } = await bench.catchup(bench.file('events.jsonl', lines), target)
    expect(idsOf(target.events())).toEqual(idsOf(mine.events))
    expect(report.problems).toEqual([
      expect.objectContaining({ what: 'file', where: bench.path('events.jsonl'), reason: 'line 2: not valid JSON' }),
      expect.objectContaining({ what: 'file', reason: 'line 7: not an event (NIP-01)' }),
    ])
    expect(code).toBe(3)
  })

  it('does not hide a true event behind a forged copy of it', async () => {
    const bench = createWorkbench()
    const target = await bench.real()
    const file = bench.file('events.jsonl', [...mine.events.map((event) => forge(event)), ...mine.events])
    await bench.catchup(file, target)
    expect(target.events().sort((a, b) => a.created_at - b.created_at)).toEqual(mine.events)
  })

  it('that is missing is a source that failed', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.real({ events: mine.events }), bench.real()])
    const { code, report } = await bench.catchup([bench.path('absent.jsonl'), source], target)
    expect(idsOf(target.events())).toEqual(idsOf(mine.events))
    expect(report.problems).toMatchObject([
      { what: 'source', where: bench.path('absent.jsonl'), reason: expect.stringContaining('no such file') as string },
    ])
    expect(code).toBe(3)
  })

  it('may be standard input', async () => {
    const bench = createWorkbench()
    const target = await bench.real()
    const stdin = mine.events.map((event) => `${JSON.stringify(event)}\n`).join('')
    const args = ['catchup', '--source', '-', '--target', target.url, '--json']
    const result = await bench.spawn(args, { stdin })
    expect(idsOf(target.events())).toEqual(idsOf(mine.events))
    expect(result.json<Report>().sources[0]?.url).toBe('-')
    expect(result.code).toBe(0)
  })
})

describe('a JSONL file as target', () => {
  it('gets everything, a line each, parents before children', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: mine.events })
    const file = bench.path('out.jsonl')
    const { code, report } = await bench.catchup(source, file)
    expect(bench.readFile(file)).toEqual(mine.events)
    expect(report.totals).toMatchObject({ accepted: 4, parked: 0 })
    expect(code).toBe(0)
  })

  it('gets nothing twice, and is appended to', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: mine.events.slice(0, 2) })
    const file = bench.path('out.jsonl')
    await bench.catchup(source, file)
    const before = readFileSync(file, 'utf8')
    expect((await bench.catchup(source, file, '--full')).report.totals.published).toBe(0)
    expect(readFileSync(file, 'utf8')).toBe(before)
    await source.seed(mine.events)
    await bench.catchup(source, file, '--full')
    expect(readFileSync(file, 'utf8').startsWith(before)).toBe(true)
    expect(bench.readFile(file)).toEqual(mine.events)
  })

  it('gets the newer version of an address and not the older', async () => {
    const bench = createWorkbench()
    const newer = announcement(alice, 'hello', { createdAt: nowSeconds() })
    const [a, b] = await Promise.all([bench.real({ events: mine.events }), bench.real({ events: [newer] })])
    const file = bench.path('out.jsonl')
    await bench.catchup([a, b], file)
    expect(idsOf(bench.readFile(file))).toEqual(idsOf([newer, ...mine.events.slice(1)]))
  })

  it('gets no event that was deleted', async () => {
    const bench = createWorkbench()
    const gone = deletion({ ids: [mine.issue.id] }, bob, { createdAt: nowSeconds() })
    const source = await bench.real({ events: [...mine.events, gone] })
    const file = bench.path('out.jsonl')
    const { code } = await bench.catchup(source, file)
    expect(idsOf(bench.readFile(file))).toEqual(idsOf([mine.announced, mine.state, mine.comment, gone]))
    expect(code).toBe(0)
  })

  it('may be compressed', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: mine.events })
    const file = bench.path('out.jsonl.gz')
    await bench.catchup(source, file)
    expect(parseLines(gunzipSync(readFileSync(file)).toString())).toEqual(mine.events)
  })

  it('is not made by a run that has nothing for it', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: [mine.state] })
    const { code } = await bench.catchup(source, bench.path('out.jsonl'))
    expect([code, existsSync(bench.path('out.jsonl'))]).toEqual([0, false])
  })

  it('may be standard output: events there, the report on standard error, no state', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: mine.events })
    const { code, stdout, stderr } = await bench.spawn(['catchup', '--source', source.url, '--target', '-'])
    expect(parseLines(stdout)).toEqual(mine.events)
    expect(stderr).toContain('complete (0)')
    expect([code, existsSync(bench.stateFile)]).toEqual([0, false])
  })

  it('works from file to file, through both standard streams', async () => {
    const bench = createWorkbench()
    const events = [...generateHistory({ repositories: 2, rootsPerRepository: 3 })]
    const stdin = [...events].reverse().map((event) => `${JSON.stringify(event)}\n`)
    const { code, stdout } = await bench.spawn(['catchup', '--source', '-', '--target', '-', '--quiet'], {
      stdin: stdin.join(''),
    })
    expect(idsOf(parseLines(stdout))).toEqual(idsOf(events))
    expect(code).toBe(0)
  })
})
