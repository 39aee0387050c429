import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

import { describe, expect, it } from 'vitest'

import { reportSchema } from '../support/report-schema.ts'
import type { NostrEvent } from '../../src/nostr/event.ts'
import type { Filter } from '../../src/nostr/filter.ts'
import type { Report } from '../../src/report/report.ts'
import { announcement, deletion, issue, patch, reaction, state } from '../support/builders.ts'
import { generateHistory } from '../support/generate.ts'
import type { CliResult } from '../support/run-cli.ts'
import { alice, bob, carol, smallRepository } from '../support/scenes.ts'
import { signEvent } from '../support/sign.ts'
import {
  createWorkbench,
  endArguments,
  idsOf,
  nowSeconds,
  parseLines,
  type End,
  type Workbench,
} from '../support/workbench.ts'

const HOUR = 3_600
const DAY = 24 * HOUR
/** 2023-11-20T00:00:00Z */
const START = 1_700_438_400

/** `check --json`, its report validated. */
async function check(
  bench: Workbench,
  sources: End | readonly End[],
  target: End,
  ...args: readonly string[]
): Promise<CliResult & { readonly report: Report; readonly found: NonNullable<Report['check']> }> {
  const result = await bench.run(['check', '--json', ...endArguments(sources, target), ...args])
  if (result.stdout === '') throw new Error(`no report; exit ${result.code}\n${result.stderr}`)
  const report = reportSchema.parse(result.json())
  if (report.check === null) throw new Error(`nothing was compared: ${result.stdout}`)
  expect(report.exit).toBe(result.code)
  return { ...result, report, found: report.check }
}

/**
 * A history of 13 days, an event every two hours, and the part of it that a relay has that was down on the sixth day.
 */
function historyWithOutage(): { all: NostrEvent[]; missed: NostrEvent[]; kept: NostrEvent[] } {
  const size = { repositories: 3, rootsPerRepository: 7, commentsPerRoot: 5 }
  const all = [...generateHistory({ ...size, startAt: START, spacingSeconds: 2 * HOUR })]
  const isMissed = ({ created_at }: NostrEvent): boolean =>
    created_at >= START + 5 * DAY && created_at < START + 6 * DAY
  return { all, missed: all.filter(isMissed), kept: all.filter((event) => !isMissed(event)) }
}

describe('two relays that hold the same', () => {
  it('make check exit 0', async () => {
    const bench = createWorkbench()
    const { events } = smallRepository()
    const [source, target] = await Promise.all([bench.real({ events }), bench.real({ events })])
    const { code, report, found } = await check(bench, source, target)
    expect([code, report.complete]).toEqual([0, true])
    expect(found).toMatchObject({ missing: 0, histogram: [], ids: null, both: null })
    expect(found.differences.map(({ kind, sourceHas, targetHas }) => [kind, sourceHas, targetHas])).toEqual([
      [30617, 1, 1],
      [1621, 1, 1],
      [30618, 1, 1],
      [1111, 1, 1],
    ])
  })

  it('are told in one sentence, and with --quiet not at all', async () => {
    const bench = createWorkbench()
    const { events } = smallRepository()
    const [source, target] = await Promise.all([bench.real({ events }), bench.real({ events })])
    const args = ['check', ...endArguments(source, target)]
    const told = await bench.run(args)
    expect(told.stdout).toMatch(/^equal \(0\): the target holds all 4 events that the sources have\. took .*\n$/)
    expect([told.code, told.stderr]).toEqual([0, ''])
    expect(await bench.run([...args, '--quiet'])).toMatchObject({ code: 0, stdout: '', stderr: '' })
  })
})

describe('a target that was down for a day', () => {
  it('lacks exactly what was signed that day, and check exits 5', async () => {
    const bench = createWorkbench()
    const { all, missed, kept } = historyWithOutage()
    const [source, target] = await Promise.all([bench.real({ events: all }), bench.real({ events: kept })])
    const { code, report, found } = await check(bench, source, target, '--ids')
    expect(code).toBe(5)
    expect(found.missing).toBe(missed.length)
    expect([...(found.ids ?? [])].toSorted()).toEqual(idsOf(missed))
    expect(found.histogram.filter(({ missing }) => missing > 0)).toHaveLength(12)
    expect(found.histogram[0]).toEqual({ from: START + 5 * DAY, to: START + 5 * DAY + HOUR - 1, missing: 1 })
    expect(found.histogram.reduce((sum, { missing }) => sum + missing, 0)).toBe(missed.length)
    expect(report).toMatchObject({ complete: false, dryRun: true, totals: { published: 0, accepted: 0 } })
  })

  it('is counted by layer, kind and repository as an independent count does', async () => {
    const bench = createWorkbench()
    const { all, missed, kept } = historyWithOutage()
    const [source, target] = await Promise.all([bench.real({ events: all }), bench.real({ events: kept })])
    const { found } = await check(bench, source, target)
    const kinds = new Set(all.map(({ kind }) => kind))
    for (const kind of kinds) {
      const rows = found.differences.filter((row) => row.kind === kind)
      const sum = (of: (row: (typeof rows)[number]) => number): number =>
        rows.reduce((total, row) => total + of(row), 0)
      const count = (events: readonly NostrEvent[]): number => events.filter((event) => event.kind === kind).length
      expect({ kind, source: sum((row) => row.sourceHas), missing: sum((row) => row.missing) }).toEqual({
        kind,
        source: count(all),
        missing: count(missed),
      })
      expect(sum((row) => row.targetHas)).toBe(count(kept))
    }
    const repositories = new Set(found.differences.map(({ repository }) => repository))
    expect(repositories.size).toBe(3)
    expect(found.differences.every(({ repository }) => repository?.startsWith('30617:'))).toBe(true)
  })

  it('shows as a table and a bar, with the next step last', async () => {
    const bench = createWorkbench()
    const { all, missed, kept } = historyWithOutage()
    const [source, target] = await Promise.all([bench.real({ events: all }), bench.real({ events: kept })])
    const { code, stdout } = await bench.run(['check', ...endArguments(source, target), '--ids'])
    expect(code).toBe(5)
    expect(stdout).toMatch(/^ missing on the target .*comments/m)
    expect(stdout).toMatch(/^ 3 threads +1111 comment +\d+ +\d+ +\d+$/m)
    expect(stdout).toMatch(/^ 2023-11-25 00:00 ▏█+ 1$/m)
    expect(
      stdout
        .split('\n')
        .filter((line) => /^[0-9a-f]{64}$/.test(line))
        .toSorted(),
    ).toEqual(idsOf(missed))
    expect(stdout).toMatch(/differences \(5\): 12 events are missing\. `ngit-sync catchup` with the\ssame\soptions/)
  })

  it('is equal after the catchup that the verdict names', async () => {
    const bench = createWorkbench()
    const { all, kept } = historyWithOutage()
    const [source, target] = await Promise.all([bench.real({ events: all }), bench.real({ events: kept })])
    expect((await check(bench, source, target)).code).toBe(5)
    expect((await bench.catchup(source, target)).code).toBe(0)
    expect((await check(bench, source, target)).code).toBe(0)
  })

  it('is not changed, and no checkpoint moves: nothing is sent, no state is left', async () => {
    const bench = createWorkbench()
    const { events } = smallRepository()
    const [source, target] = await Promise.all([
      bench.scripted({ events }),
      bench.scripted({ events: events.slice(0, 1) }),
    ])
    const { code, found } = await check(bench, source, target, '--both')
    expect([code, found.missing]).toEqual([5, 3])
    expect([...target.received.frames, ...source.received.frames]).not.toContainEqual(expect.arrayContaining(['EVENT']))
    expect(idsOf(target.events.values())).toEqual(idsOf(events.slice(0, 1)))
    expect(() => bench.checkpoints()).toThrow('unable to open database file')
  })

  it('is compared in a window with --since and --until', async () => {
    const bench = createWorkbench()
    const { all, missed, kept } = historyWithOutage()
    const [source, target] = await Promise.all([bench.real({ events: all }), bench.real({ events: kept })])
    const [since, until] = [START + 5 * DAY + 6 * HOUR, START + 5 * DAY + 12 * HOUR]
    const window = ['--since', String(since), '--until', String(until)]
    const { code, report, found } = await check(bench, source, target, '--ids', ...window)
    const parents = report.problems.filter(({ what }) => what === 'parent').map(({ example }) => example)
    const isInside = ({ created_at }: NostrEvent): boolean => created_at >= since && created_at <= until
    expect([code, report.window]).toEqual([5, { since, until }])
    expect([...(found.ids ?? [])].filter((id) => !parents.includes(id)).toSorted()).toEqual(
      idsOf(missed.filter(isInside)),
    )
    expect(missed.map(({ id }) => id)).toEqual(expect.arrayContaining(parents))
    expect(found.differences.map(({ kind }) => kind)).not.toContain(30617)
    const before = ['--until', String(START + 5 * DAY - 1)]
    expect((await check(bench, source, target, ...before)).code).toBe(0)
  })
})

describe('--output', () => {
  it('is a file with the missing events, which catchup takes as a source', async () => {
    const bench = createWorkbench()
    const { all, missed, kept } = historyWithOutage()
    const [source, target] = await Promise.all([bench.real({ events: all }), bench.real({ events: kept })])
    const file = bench.path('missing.jsonl')
    const { code, stderr } = await check(bench, source, target, '--output', file)
    expect([code, stderr]).toEqual([5, ''])
    expect(bench.readFile(file).toSorted(byId)).toEqual(missed.toSorted(byId))
    expect((await bench.catchup(file, target)).code).toBe(0)
    expect(idsOf(target.events())).toEqual(idsOf(all))
  })

  it('is compressed when it is called .gz, and an empty file when nothing is missing', async () => {
    const bench = createWorkbench()
    const { events } = smallRepository()
    const [source, target, same] = await Promise.all([bench.real({ events }), bench.real(), bench.real({ events })])
    const file = bench.path('missing.jsonl.gz')
    await check(bench, source, target, '--output', file)
    expect(idsOf(parseLines(gunzipSync(readFileSync(file)).toString()))).toEqual(idsOf(events))
    await check(bench, source, same, '--output', file)
    expect(gunzipSync(readFileSync(file)).toString()).toBe('')
  })

  it('is standard output for -, and the report goes to standard error', async () => {
    const bench = createWorkbench()
    const { events } = smallRepository()
    const [source, target] = await Promise.all([bench.real({ events }), bench.real()])
    const { code, stdout, stderr } = await bench.spawn(['check', ...endArguments(source, target), '--output', '-'])
    expect(code).toBe(5)
    expect(idsOf(parseLines(stdout))).toEqual(idsOf(events))
    expect(stderr).toContain('differences (5): 4 events are missing.')
  })

  it('ends with 1 and the reason when it cannot be written, before anything is read', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.scripted(), bench.scripted()])
    const file = bench.path('no/such/directory/missing.jsonl')
    const result = await bench.run(['check', ...endArguments(source, target), '--output', file])
    expect([result.code, result.stdout]).toEqual([1, ''])
    expect(result.stderr).toMatch(/^error: write events to .*missing\.jsonl: .*no such directory\nhint: /)
    expect(source.received.connections).toBe(0)
  })

  it('keeps the old file when the target is lost', async () => {
    const bench = createWorkbench()
    const file = bench.file('missing.jsonl', ['old'])
    const target = await bench.scripted({ connections: 'refuse' })
    const result = await bench.run([
      ...['check', ...endArguments(await bench.scripted(), target)],
      ...['--output', file, '--retries', '0'],
    ])
    expect(result.code).toBe(1)
    expect(readFileSync(file, 'utf8')).toBe('old\n')
  })
})

describe('what a relay will never hold', () => {
  it('is no difference: deleted, expired, superseded, ephemeral', async () => {
    const bench = createWorkbench()
    const { address, events, announced } = smallRepository({ startAt: START })
    const tags = [['a', address]]
    const deleted = issue(address, bob, { createdAt: START + 300, content: 'never mind' })
    const retracted = deletion({ ids: [deleted.id] }, bob, { createdAt: START + 400 })
    const expired = issue(address, bob, { createdAt: START + 500, tags: [['expiration', String(START + 600)]] })
    const newer = announcement(alice, 'hello', { createdAt: announced.created_at + 900 })
    const newerState = state(alice, 'hello', { createdAt: START + 900, commit: '2'.repeat(40) })
    const ephemeral = signEvent(carol, { kind: 20_001, created_at: START + 950, tags, content: '' })
    const [source, target] = await Promise.all([
      bench.scripted({ events: [...events, deleted, expired, ephemeral], deletions: false }),
      bench.scripted({ events: [newer, newerState, ...events.slice(2), retracted] }),
    ])
    const { code, report, found } = await check(bench, source, target)
    expect([code, found.missing, found.histogram]).toEqual([0, 0, []])
    const dropped = report.layers.map((layer) => layer.dropped)
    expect(dropped).toMatchObject([{ superseded: 1 }, { deleted: 1, expired: 1, superseded: 1, ephemeral: 1 }, {}])
  })

  it('names what the target took and holds back as pending, and not as missing, however long ago', async () => {
    const bench = createWorkbench()
    const { events, comment: remark } = smallRepository()
    const source = await bench.scripted({ events })
    const target = await bench.scripted({
      onEvent: (event) => (event.id === remark.id ? { ok: true, text: 'purgatory', store: false } : 'default'),
    })
    expect((await bench.catchup(source, target)).code).toBe(3)
    for (const passed of [0, 2 * HOUR]) {
      bench.letPass(passed)
      const { code, report, found } = await check(bench, source, target, '--ids')
      expect([code, found.missing, found.ids]).toEqual([0, 0, []])
      expect(report.problems).toMatchObject([{ what: 'pending', reason: 'purgatory', count: 1, example: remark.id }])
    }
    const { stdout } = await bench.run(['check', ...endArguments(source, target)])
    expect(stdout).toContain('1 pending at ')
    expect(stdout).toMatch(/equal \(0\): the target holds all 3 events that the sources have, but for 1 that\sit took/)
  })
})

describe('what a check promises (no false green #18)', () => {
  it('is what catchup does: --full within the quick window, and that is enough', async () => {
    const bench = createWorkbench()
    const { events, address } = smallRepository()
    const [source, target] = await Promise.all([bench.scripted({ events }), bench.scripted()])
    await bench.catchup(source, target)
    const late = issue(address, bob, { createdAt: START + 900, content: 'late' })
    source.events.set(late.id, late)
    const args = endArguments(source, target)
    const checked = await check(bench, source, target)
    expect(checked.found).toMatchObject({ missing: 1, waiting: 0, needsFull: true })
    expect((await bench.run(['check', ...args, '--quiet'])).stdout).toMatch(/`ngit-sync\s+catchup\s+--full`/)
    await bench.run(['catchup', ...args])
    expect(target.events.has(late.id)).toBe(false)
    await bench.run(['catchup', ...args, '--full'])
    expect((await check(bench, source, target)).code).toBe(0)
  })

  it('needs no --full for what is new, nor once the quick window is over', async () => {
    const bench = createWorkbench()
    const { events, address } = smallRepository()
    const [source, target] = await Promise.all([bench.scripted({ events }), bench.scripted()])
    await bench.catchup(source, target)
    const fresh = issue(address, bob, { createdAt: nowSeconds(), content: 'fresh' })
    source.events.set(fresh.id, fresh)
    expect((await check(bench, source, target)).found).toMatchObject({ missing: 1, needsFull: false })
    const late = issue(address, bob, { createdAt: START + 900, content: 'late' })
    source.events.set(late.id, late)
    bench.letPass(HOUR)
    expect((await check(bench, source, target)).found).toMatchObject({ missing: 2, needsFull: false })
  })

  it('counts and names all that waits, also what the next run would send again', async () => {
    const bench = createWorkbench()
    const { announced, address } = smallRepository()
    const issues = Array.from({ length: 10 }, (_, n) => issue(address, bob, { createdAt: START + n, content: `${n}` }))
    const source = await bench.scripted({ events: [announced, ...issues] })
    const target = await bench.scripted({
      onEvent: (event) => (event.kind === 1621 ? { ok: false, text: 'error: disk full' } : 'default'),
    })
    await bench.catchup(source, target)
    const { code, report, found } = await check(bench, source, target)
    expect([code, found.missing, found.waiting, report.totals.parked]).toEqual([5, 10, 10, 10])
    expect(report.problems).toMatchObject([{ what: 'waiting', reason: 'error: disk full', count: 10 }])
    const { stdout } = await bench.run(['check', ...endArguments(source, target)])
    expect(stdout).toMatch(/All\s+of\s+them\s+wait\s+on\s+disk/)
    expect(stdout).not.toMatch(/would\s+copy/)
  })
})

describe('a source that was not read to its end', () => {
  it('makes check exit 3, although there are differences', async () => {
    const bench = createWorkbench()
    const { events } = smallRepository()
    const closeReq = (filter: Filter): string | undefined =>
      filter['#e'] === undefined ? undefined : 'error: shutting down'
    const [good, bad, target] = await Promise.all([
      bench.real({ events }),
      bench.scripted({ events, closeReq }),
      bench.real(),
    ])
    const { code, report, found } = await check(bench, [good, bad], target, '--both')
    expect([code, found.missing]).toEqual([3, 4])
    expect(report.problems).toContainEqual(expect.objectContaining({ what: 'source', where: bad.url }))
    expect(found.both?.map(({ source }) => source)).toEqual([good.url])
  })

  it('is told in the verdict', async () => {
    const bench = createWorkbench()
    const { events } = smallRepository()
    const [good, target] = await Promise.all([bench.real({ events }), bench.real({ events })])
    const down = await bench.scripted({ connections: 'refuse' })
    const result = await bench.run(['check', ...endArguments([good, down], target), '--retries', '0'])
    expect(result.code).toBe(3)
    expect(result.stdout).toMatch(
      /partial \(3\): \S+ was not read to its end; the target\slacks\snothing\sof\swhat\scould\sbe\sread\./,
    )
  })
})

describe('a check that could compare nothing (no false green #8)', () => {
  const gone = { retries: ['--retries', '0', '--idle-timeout', '500ms'] }

  it.each([
    ['cannot be reached', { connections: 'refuse' } as const],
    ['closes every question', { closeReq: () => 'error: out of order' }],
    ['answers nothing', { neverEose: true }],
  ])('says so when its only source %s, and leaves the output file as it was', async (_what, behaviour) => {
    const bench = createWorkbench()
    const { events } = smallRepository()
    const [source, target] = await Promise.all([bench.scripted(behaviour), bench.scripted({ events })])
    const file = bench.file('missing.jsonl', ['old'])
    const args = ['check', ...endArguments(source, target), ...gone.retries, '--output', file]
    const [asText, quiet, asJson] = [
      await bench.run(args),
      await bench.run([...args, '--quiet']),
      await bench.run([...args, '--json']),
    ]
    expect([asText.code, quiet.code, asJson.code]).toEqual([3, 3, 3])
    for (const { stdout } of [asText, quiet]) {
      expect(stdout.replaceAll(/\s+/g, ' ')).toContain('nothing could be compared.')
      expect(stdout).not.toContain('lacks nothing')
    }
    expect(reportSchema.parse(asJson.json()).check).toMatchObject({ missing: null, differences: [] })
    expect(readFileSync(file, 'utf8')).toBe('old\n')
  })

  it('says so when the target stops answering', async () => {
    const bench = createWorkbench()
    const { events } = smallRepository()
    const source = await bench.scripted({ events })
    const target = await bench.scripted({ closeReq: () => 'error: out of order' })
    const file = bench.file('missing.jsonl', ['old'])
    const result = await bench.run(['check', '--json', ...endArguments(source, target), '--output', file])
    expect([result.code, reportSchema.parse(result.json()).check?.missing]).toEqual([3, null])
    expect(readFileSync(file, 'utf8')).toBe('old\n')
  })

  it('replaces the output file with what was found in part, but never with nothing', async () => {
    const bench = createWorkbench()
    const { events } = smallRepository()
    const bad = await bench.scripted({ connections: 'refuse' })
    const [source, empty] = await Promise.all([bench.scripted({ events }), bench.scripted()])
    const file = bench.file('missing.jsonl', ['old'])
    const args = ['check', ...gone.retries, '--output', file]
    const equal = await bench.run([...args, ...endArguments([source, bad], await bench.scripted({ events }))])
    expect([equal.code, readFileSync(file, 'utf8')]).toEqual([3, 'old\n'])
    expect(equal.stdout.replaceAll(/\s+/g, ' ')).toContain(`Nothing was written to ${file}`)
    const lacking = await bench.run([...args, ...endArguments([source, bad], empty)])
    expect(lacking.code).toBe(3)
    expect(idsOf(bench.readFile(file))).toEqual(idsOf(events))
  })
})

describe('--both', () => {
  it('tells what each source lacks, and exits 5 when only a source lacks something', async () => {
    const bench = createWorkbench()
    const { all, kept, missed } = historyWithOutage()
    const [whole, partial, target] = await Promise.all([
      bench.real({ events: all }),
      bench.real({ events: kept }),
      bench.real({ events: all }),
    ])
    const { code, found } = await check(bench, [whole, partial], target, '--both')
    expect([code, found.missing]).toEqual([5, 0])
    expect(found.both?.map(({ source, missing }) => [source, missing])).toEqual([
      [whole.url, 0],
      [partial.url, missed.length],
    ])
    const rows = found.both?.[1]?.differences ?? []
    expect(rows.reduce((sum, { missing }) => sum + missing, 0)).toBe(missed.length)
    const { stdout } = await bench.run(['check', ...endArguments(partial, target), '--both'])
    expect(stdout).toMatch(/differences \(5\): the target lacks nothing\. \S+ lacks 12 events\./)
  })

  it('keeps the scope that was decided for the target, by the name of the target', async () => {
    const bench = createWorkbench()
    const target = await bench.real({ supportedGrasps: ['GRASP-01'] })
    const clone = [`${target.url.replace('ws', 'http')}/x/hello.git`]
    const listed = smallRepository({ clone, relays: [target.url] })
    const other = smallRepository({ owner: carol, d: 'elsewhere' })
    await target.seed([...listed.events, ...other.events])
    const source = await bench.real({ events: listed.events.slice(0, 1) })
    const { code, report, found } = await check(bench, source, target, '--both')
    expect([code, report.scope.kind]).toEqual([5, 'listed'])
    expect(found.both?.[0]?.missing).toBe(3)
    const empty = await bench.real({ events: other.events })
    const nothing = await check(bench, empty, target, '--both', '--service', 'wss://listed.example', '--scope', 'all')
    expect(nothing.found.both?.[0]?.missing).toBe(4)
  })

  it('compares files as well', async () => {
    const bench = createWorkbench()
    const { events } = smallRepository()
    const [all, some] = [bench.file('all.jsonl', events), bench.file('some.jsonl', events.slice(0, 2))]
    const { code, found } = await check(bench, some, all, '--both')
    expect([code, found.missing, found.both?.[0]?.missing]).toEqual([5, 0, 2])
    expect(bench.readFile(some)).toHaveLength(2)
  })
})

describe('--follow-ups', () => {
  it('compares reactions to comments too', async () => {
    const bench = createWorkbench()
    const { events, comment: remark } = smallRepository()
    const liked = reaction(remark, bob, { createdAt: nowSeconds() })
    const [source, target] = await Promise.all([bench.real({ events: [...events, liked] }), bench.real({ events })])
    expect((await check(bench, source, target)).code).toBe(0)
    const { code, found } = await check(bench, source, target, '--follow-ups', '--ids')
    expect([code, found.ids]).toEqual([5, [liked.id]])
    expect(found.differences).toContainEqual(expect.objectContaining({ layer: 'follow-ups', kind: 7, missing: 1 }))
  })
})

describe('relays with NIP-77', () => {
  it('finds the same by comparing as by paging, and by --no-reconcile', async () => {
    const bench = createWorkbench()
    const { all, missed, kept } = historyWithOutage()
    const lost = patch(`30617:${alice.pubkey}:nowhere`, bob, { createdAt: START })
    const [source, target] = await Promise.all([
      bench.scripted({ events: [...all, lost], negentropy: true }),
      bench.scripted({ events: kept, negentropy: true }),
    ])
    const compared = await check(bench, source, target, '--ids')
    expect(source.received.negs.length).toBeGreaterThan(0)
    source.forgetReceived()
    const paged = await check(bench, source, target, '--ids', '--no-reconcile')
    expect(source.received.negs).toEqual([])
    for (const { code, found } of [compared, paged]) {
      expect([code, [...(found.ids ?? [])].toSorted()]).toEqual([5, idsOf(missed)])
    }
    expect(paged.report.sources[0]?.layers.every(({ mode }) => mode === 'full')).toBe(true)
  })
})

function byId(a: NostrEvent, b: NostrEvent): number {
  return a.id < b.id ? -1 : 1
}
