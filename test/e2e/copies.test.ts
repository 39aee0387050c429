import { symlinkSync } from 'node:fs'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { runMerge } from '../../src/cli/merge/run-merge.ts'
import type { CopiesReport } from '../../src/report/copies-report.ts'
import type { Report } from '../../src/report/report.ts'
import type { NostrEvent } from '../../src/nostr/event.ts'
import { comment, deletion, graspList, issue, SOME_TIME, state } from '../support/builders.ts'
import { alice, bob, carol, smallRepository } from '../support/scenes.ts'
import type { ReqContext, ReqEnd } from '../support/scripted-behaviour.ts'
import type { ScriptedRelay } from '../support/scripted-relay.ts'
import { forge } from '../support/sign.ts'
import { createWorkbench, endArguments, type End, type Workbench } from '../support/workbench.ts'

const mine = smallRepository()
const other = smallRepository({ d: 'other', owner: bob, startAt: SOME_TIME + 1_000 })

/** Each is at one end at least; of the state there are two versions, and the second issue is deleted. */
const [older, newer] = [
  state(alice, 'hello', { createdAt: SOME_TIME + 10 }),
  state(alice, 'hello', { createdAt: SOME_TIME + 20 }),
]
const second = issue(mine.address, carol, { createdAt: SOME_TIME + 300 })
const gone = deletion({ ids: [second.id] }, carol)
const POOL: readonly NostrEvent[] = [
  ...[mine.announced, mine.issue, mine.comment, older, newer, second, gone],
  ...Array.from({ length: 12 }, (_, index) => comment(mine.issue, bob, { createdAt: SOME_TIME + 400 + index })),
  ...other.events,
]

async function check(bench: Workbench, sources: readonly End[], target: End, ...args: readonly string[]) {
  const result = await bench.run(['check', ...endArguments(sources, target), '--scope', 'all', '--json', ...args])
  const report = result.json<Report>()
  return { code: result.code, report, copies: report.check?.copies ?? undefined }
}

function summaryOf(copies: CopiesReport | undefined) {
  return copies && [copies.events, copies.below, copies.undecided, copies.histogram.map(({ events }) => events)]
}

describe('check --copies', () => {
  it('finds everything at every end: exit 0', async () => {
    const bench = createWorkbench()
    const relays = [await bench.real({ events: mine.events }), await bench.real({ events: mine.events })]
    const target = await bench.real({ events: mine.events })
    const { code, copies } = await check(bench, relays, target, '--copies', '3')
    expect([code, summaryOf(copies)]).toEqual([0, [4, 0, 0, [0, 0, 4]]])
    expect(copies?.repositories).toEqual([])
  })

  it('counts an event that the target alone has, though nothing is missing there: exit 5', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: mine.events.slice(0, 3) })
    const target = await bench.real({ events: mine.events })
    const { code, report, copies } = await check(bench, [source], target, '--copies', '2', '--ids')
    expect([code, report.check?.missing, summaryOf(copies)]).toEqual([5, 0, [4, 1, 0, [1, 3]]])
    expect(copies?.list).toEqual([{ id: mine.comment.id, repository: mine.address, at: [target.url] }])
    expect(copies?.repositories).toMatchObject([
      { fewest: 1, below: 1, events: 4, lacking: [{ url: source.url, events: 1 }], example: mine.comment.id },
    ])
  })

  it('is content with two of three, and not where three are wanted', async () => {
    const bench = createWorkbench()
    const [whole, part] = [
      await bench.real({ events: mine.events }),
      await bench.real({ events: mine.events.slice(1) }),
    ]
    const target = await bench.real({ events: mine.events })
    expect((await check(bench, [whole, part], target, '--copies', '2')).code).toBe(0)
    const { code, copies } = await check(bench, [whole, part], target, '--copies', '3')
    expect([code, summaryOf(copies)]).toEqual([5, [4, 1, 0, [0, 1, 3]]])
    expect(copies?.ends.map(({ events }) => events)).toEqual([4, 4, 3])
  })
})

/** A report whose repositories with as many scarce events stand in a fixed order. */
function byRepository(copies: CopiesReport | null | undefined) {
  return copies && { ...copies, repositories: new Map(copies.repositories.map((row) => [row.repository, row])) }
}

function mergeFiles(files: readonly string[]): Promise<Report> {
  return runMerge(files, { openStdin: () => process.stdin, signal: new AbortController().signal })
}

describe('check --copies in shards', () => {
  it('counts, once merged, what one run counts', async () => {
    const bench = createWorkbench()
    // Alice has repositories in both shards, and one list.
    const another = smallRepository({ d: 'other', owner: alice, startAt: SOME_TIME + 1_000 })
    const everything = [graspList(alice, ['wss://git.example.com']), ...mine.events, ...another.events]
    const sources = [
      await bench.real({ events: everything.slice(1) }),
      await bench.real({ events: everything.filter((_, index) => index % 2 === 0) }),
    ]
    const target = await bench.real({ events: everything.slice(3) })
    const whole = await check(bench, sources, target, '--copies', '3')
    const files = []
    for (const shard of ['1/2', '2/2']) {
      const { report, copies } = await check(bench, sources, target, '--copies', '3', '--shard', shard)
      // Each has a part of it.
      expect(copies?.repositories.filter(({ repository }) => repository !== null)).toHaveLength(1)
      files.push(bench.file(`${report.shard?.number}.json`, [JSON.stringify(report)]))
    }
    const merged = await mergeFiles(files)
    expect([merged.exit, whole.code]).toEqual([5, 5])
    expect(byRepository(merged.check?.copies)).toEqual(byRepository(whole.copies))
  })

  it('counts what names no repository in every shard, also where none of it is scarce', async () => {
    const bench = createWorkbench()
    const lists = [alice, bob, carol].map((author) => graspList(author, ['wss://git.example.com']))
    const [scarce] = lists
    const source = await bench.real({ events: [...mine.events, ...lists] })
    const target = await bench.real({ events: [...mine.events, ...lists].filter((event) => event !== scarce) })
    const whole = await check(bench, [source], target, '--copies', '2')
    const files = []
    const rows = []
    for (const shard of ['1/2', '2/2']) {
      const { report, copies } = await check(bench, [source], target, '--copies', '2', '--shard', shard)
      rows.push([copies?.withoutRepository, copies?.repositories.length])
      files.push(bench.file(`${report.shard?.number}.json`, [JSON.stringify(report)]))
    }
    // One shard has the scarce list, the other has lists and no row for them.
    expect(rows.toSorted()).toEqual([
      [1, 1],
      [2, 0],
    ])
    const merged = await mergeFiles(files)
    expect(whole.copies?.repositories).toMatchObject([{ repository: null, events: 3, below: 1 }])
    expect(byRepository(merged.check?.copies)).toEqual(byRepository(whole.copies))
  })
})

/** Answers everything but what is asked by root. */
const hidesThreads = (end: ReqEnd) => (context: ReqContext) =>
  context.filters.some((filter) => '#e' in filter || '#E' in filter) ? { rows: [], end } : context.answer

describe('check --copies with an end that is not read to its end', () => {
  it('is undecided about what that end may have: exit 3', async () => {
    const bench = createWorkbench()
    const { events } = mine
    const end: ReqEnd = { type: 'closed', reason: 'blocked: not now' }
    const [whole, target] = [await bench.scripted({ events }), await bench.scripted({ events })]
    const broken = await bench.scripted({ events, onReq: hidesThreads(end) })
    const { code, copies } = await check(bench, [whole, broken], target, '--copies', '3')
    expect([code, summaryOf(copies)]).toEqual([3, [4, 0, 1, [0, 1, 3]]])
    expect(copies?.ends.map(({ reason }) => reason === null)).toEqual([true, true, false])
    expect(copies?.repositories).toMatchObject([{ below: 0, undecided: 1, lacking: [] }])
  })

  it('says for certain what is scarce whatever that end has', async () => {
    const bench = createWorkbench()
    const whole = await bench.scripted({ events: mine.events })
    const broken = await bench.scripted({ events: mine.events, onReq: hidesThreads({ type: 'drop' }) })
    const target = await bench.scripted({ events: mine.events.slice(0, 3) })
    const { code, copies } = await check(bench, [whole, broken], target, '--copies', '3', '--retries', '0')
    expect([code, copies?.below]).toEqual([3, 1])
  })

  it('does not take a source that cannot be reached for one that has nothing', async () => {
    const bench = createWorkbench()
    const [whole, target] = [await bench.real({ events: mine.events }), await bench.real({ events: mine.events })]
    const nobody = 'ws://127.0.0.1:9'
    const { code, copies } = await check(bench, [whole, nobody], target, '--copies', '3', '--retries', '0')
    expect([code, summaryOf(copies)]).toEqual([3, [4, 0, 4, [0, 4, 0]]])
  })

  it('is undecided about what the target may have', async () => {
    const bench = createWorkbench()
    const whole = await bench.scripted({ events: mine.events })
    const end: ReqEnd = { type: 'closed', reason: 'blocked: not now' }
    const isThread = ({ filters }: ReqContext): boolean =>
      filters.some(({ kinds, ...rest }) => kinds === undefined && ('#E' in rest || '#e' in rest))
    const target = await bench.scripted({
      events: mine.events.slice(0, 3),
      onReq: (context) => (isThread(context) ? { rows: [], end } : context.answer),
    })
    const { code, copies } = await check(bench, [whole], target, '--copies', '2')
    expect([code, summaryOf(copies)]).toEqual([3, [4, 0, 1, [1, 3]]])
  })
})

describe('check --copies by comparison', () => {
  it('finds what a source has although it lists its newest part only', async () => {
    const bench = createWorkbench()
    const [source, target] = [
      await bench.scripted({ events: POOL, negentropy: true }),
      await bench.scripted({ events: POOL, negentropy: true }),
    ]
    source.behaviour.negentropyCut = 3
    const { copies } = await check(bench, [source], target, '--copies', '2')
    expect([copies?.below, copies?.undecided]).toEqual([0, 0])
  })
})

describe('what check --copies does not count', () => {
  it('a damaged copy', async () => {
    const bench = createWorkbench()
    const [source, target] = [
      await bench.scripted({ events: [...mine.events.slice(0, 3), forge(mine.comment)] }),
      await bench.scripted({ events: mine.events }),
    ]
    const { copies } = await check(bench, [source], target, '--copies', '2')
    expect(summaryOf(copies)).toEqual([4, 1, 0, [1, 3]])
  })

  it('what a relay lists by NIP-77 and does not serve', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all(
      [0, 1].map(() => bench.scripted({ events: mine.events, negentropy: true })),
    )
    if (source === undefined || target === undefined) throw new Error('no relay')
    source.behaviour.hides = ({ id }) => id === mine.comment.id
    const { code, report, copies } = await check(bench, [source], target, '--copies', '2')
    expect([code, summaryOf(copies)]).toEqual([5, [4, 1, 0, [1, 3]]])
    expect(report.notes).toContainEqual(expect.stringContaining('is not borne out by what is served'))
  })

  it('what a relay lists by NIP-77 and does not serve, where another source has it and the target has not', async () => {
    const bench = createWorkbench()
    const hidden = new Set(POOL.slice(7).map(({ id }) => id))
    const held = POOL.filter(({ id }) => !hidden.has(id))
    const whole = bench.file('whole.jsonl', POOL)
    const claims = await bench.scripted({ events: POOL, negentropy: true, hides: ({ id }) => hidden.has(id) })
    const target = await bench.scripted({ events: held, negentropy: true })
    const { copies } = await check(bench, [whole, claims], target, '--copies', '2')
    // It depends on who answers first whether the claim is found false, or leaves the end unread.
    expect((copies?.below ?? 0) + (copies?.undecided ?? 0)).toBe(hidden.size)
    const [atTarget, , atClaims] = copies?.ends ?? []
    expect([atClaims?.url, atClaims?.events]).toEqual([claims.url, atTarget?.events])
  })

  it('an event that its author deleted, but the deletion', async () => {
    const bench = createWorkbench()
    const removal = deletion({ ids: [mine.comment.id] }, carol)
    const [source, target] = [
      await bench.real({ events: mine.events }),
      await bench.real({ events: [...mine.events.slice(0, 3), removal] }),
    ]
    const { code, copies } = await check(bench, [source], target, '--copies', '2')
    expect([code, summaryOf(copies)]).toEqual([0, [3, 0, 0, [0, 3]]])
  })

  it('one relay twice: two names with one key', async () => {
    const bench = createWorkbench()
    const document = { self: alice.pubkey }
    const ends = await Promise.all([0, 1].map(() => bench.scripted({ events: mine.events, document })))
    const target = await bench.scripted({ events: mine.events })
    const { code, report, copies } = await check(bench, ends, target, '--copies', '3')
    expect([code, copies?.ends.length, summaryOf(copies)]).toEqual([5, 2, [4, 4, 0, [0, 4]]])
    expect(report.notes).toContainEqual(expect.stringContaining('say that they are one relay: counted once'))
  })
})

describe('check --copies, wrongly used', () => {
  it.each([
    [['--source', 'wss://a.example', 'wss://b.example', '--copies', '4'], 'is more than the 3 ends that are named'],
    [['--source', 'wss://a.example', '--copies', '0'], 'is not a whole number from 1 to 50'],
    [['--source', 'ws://localhost:1', 'ws://127.0.0.1:1', '--copies', '2'], 'is named twice: name it once'],
    [['--source', 'wss://a.example', '--copies', '2', '--since', '3d'], 'exclude each other'],
  ])('%j: exit 2', async (args, problem) => {
    const bench = createWorkbench()
    const { code, stderr } = await bench.run(['check', ...args, '--target', 'wss://t.example'])
    expect([code, stderr]).toEqual([2, expect.stringContaining(problem)])
  })

  it('refuses one file under two names: it would count as two copies', async () => {
    const bench = createWorkbench()
    const file = bench.file('backup.jsonl', mine.events)
    symlinkSync(file, bench.path('link.jsonl'))
    const ends = ['--source', file, bench.path('link.jsonl'), '--target', 'ws://127.0.0.1:9']
    const { code, stderr } = await bench.run(['check', ...ends, '--copies', '2'])
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/backup\.jsonl and \S+link\.jsonl are one file: --copies/),
    ])
  })

  it('is an option of check alone', async () => {
    const bench = createWorkbench()
    const { code } = await bench.run([
      'catchup',
      '--source',
      'wss://a.example',
      '--target',
      'wss://t.example',
      '--copies',
      '2',
    ])
    expect(code).toBe(2)
  })
})

/** Counts as one would by hand. */
function countNaively(places: readonly (readonly NostrEvent[])[]): number[] {
  const all = new Map(places.flat().map((event) => [event.id, event]))
  const isCounted = ({ id }: NostrEvent): boolean =>
    !(id === older.id && all.has(newer.id)) && !(id === second.id && all.has(gone.id))
  const counts = places.map(() => 0)
  for (const event of [...all.values()].filter(isCounted)) {
    const at = places.filter((events) => events.some(({ id }) => id === event.id)).length
    counts[at - 1] = (counts[at - 1] ?? 0) + 1
  }
  return counts
}

function fill(relay: ScriptedRelay, events: readonly NostrEvent[]): void {
  relay.events.clear()
  for (const event of events) relay.events.set(event.id, event)
}

describe('check --copies over any distribution', () => {
  it('counts what a naive count does, compared or paged', async () => {
    const runs = Number(process.env.COPIES_RUNS ?? 4)
    const relays = await Promise.all(
      [false, true].map(async (negentropy) => {
        const bench = createWorkbench()
        return Promise.all([0, 1, 2].map(() => bench.scripted({ negentropy, verify: false })))
      }),
    )
    const masks = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: POOL.length, maxLength: POOL.length })
    const kinds = fc.array(fc.boolean(), { minLength: 3, maxLength: 3 })
    await fc.assert(
      fc.asyncProperty(masks, kinds, fc.integer({ min: 1, max: 3 }), async (at, speaks, wanted) => {
        const bench = createWorkbench()
        const places = [0, 1, 2].map((end) => POOL.filter((_, index) => ((at[index] ?? 0) >> end) % 2 === 1))
        const ends = places.map((events, end) => {
          const relay = relays[speaks[end] === true ? 1 : 0]?.[end]
          if (relay === undefined) throw new Error('no relay')
          fill(relay, events)
          return relay
        })
        const [target, ...sources] = ends
        if (target === undefined) throw new Error('no target')
        const { code, copies, report } = await check(bench, sources, target, '--copies', String(wanted))
        const counts = countNaively(places)
        const below = counts.slice(0, wanted - 1).reduce((sum, count) => sum + count, 0)
        expect(copies?.histogram.map(({ events }) => events)).toEqual(counts)
        expect([copies?.below, copies?.undecided]).toEqual([below, 0])
        expect(code).toBe(below + (report.check?.missing ?? 0) > 0 ? 5 : 0)
      }),
      { numRuns: runs },
    )
  }, 3_600_000)
})
