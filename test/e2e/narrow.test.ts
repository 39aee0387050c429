import { describe, expect, it } from 'vitest'

import type { Filter } from '../../src/nostr/filter.ts'
import { comment, issue } from '../support/builders.ts'
import { isScraper } from '../support/narrow-questions.ts'
import { alice, bob, carol, smallRepository } from '../support/scenes.ts'
import { createWorkbench, endArguments, idsOf, nowSeconds } from '../support/workbench.ts'

const mine = smallRepository()
const other = smallRepository({ owner: carol, d: 'other', startAt: 1_700_000_000 })
const NARROW = /answers narrow questions only/
const NOTHING_COMPARED = 'it serves no event at all, nor does the target: nothing was compared'

/** A relay is narrow in one of these ways. */
const WAYS: readonly (readonly [name: string, ignores: (filter: Filter) => boolean])[] = [
  ['as nostr-rs-relay is', (filter) => isScraper(filter)],
  ['and counts ids as one condition', (filter) => isScraper(filter, 1)],
]

describe('a source that answers narrow questions only', () => {
  it.each(WAYS)('is read by kinds where the repository is named, %s (no false green #2)', async (_, ignores) => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: mine.events, ignores })
    const target = await bench.scripted()
    const { code, report } = await bench.catchup(source, target, '--repo', mine.address)
    expect(idsOf(target.events.values())).toEqual(idsOf(mine.events))
    expect(report.sources[0]?.notes.join()).toMatch(NARROW)
    expect(code).toBe(0)
    const again = await bench.catchup(source, target, '--repo', mine.address)
    expect([again.code, again.report.totals.published]).toEqual([0, 0])
  })

  it.each(WAYS)('is not read to its end where everything is asked for, %s (no false green #2)', async (_, ignores) => {
    const bench = createWorkbench()
    const narrow = await bench.scripted({ events: [...mine.events, ...other.events], ignores })
    const plain = await bench.scripted({ events: [mine.announced] })
    const target = await bench.scripted()
    const { code, report } = await bench.catchup([narrow, plain], target)
    expect(code).toBe(3)
    expect(report.sources.map(({ complete }) => complete)).toEqual([false, true])
    expect(report.problems.map(({ what, where }) => [what, where])).toContainEqual(['narrow', narrow.url])
    // What depends on a repository that is known is copied all the same.
    expect(idsOf(target.events.values())).toEqual(idsOf(mine.events))
    expect(bench.checkpoints(narrow).filter(({ layer }) => layer === 'announcements')).toEqual([])
  })

  it('shows itself by what only the target has announced', async () => {
    const bench = createWorkbench()
    const ignores = (filter: Filter): boolean => isScraper(filter)
    const source = await bench.scripted({ events: mine.events, ignores })
    const target = await bench.scripted({ events: [mine.announced] })
    const { code } = await bench.catchup(source, target)
    expect([code, idsOf(target.events.values())]).toEqual([3, idsOf(mine.events)])
  })

  it.each(WAYS)('shows itself by values that are in use everywhere, %s (no false green #2)', async (_, ignores) => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: mine.events, ignores })
    const { code, report } = await bench.catchup(source, await bench.scripted())
    expect(report.problems.map(({ what, where }) => [what, where])).toContainEqual(['narrow', source.url])
    expect([code, bench.checkpoints(source)]).toEqual([3, []])
  })

  it('shows itself by what a repository has that only the target announces (no false green #2)', async () => {
    const bench = createWorkbench()
    const bug = issue(mine.address, bob, { createdAt: 1_750_000_000 })
    const source = await bench.scripted({ events: [bug], ignores: (filter) => isScraper(filter) })
    const target = await bench.scripted({ events: [mine.announced] })
    const { code } = await bench.catchup(source, target)
    expect([code, target.events.has(bug.id)]).toEqual([3, true])
  })

  it.each(WAYS)(
    'and shows nothing to any question is no reason for green, %s (no false green #2)',
    async (_, ignores) => {
      const bench = createWorkbench()
      const source = await bench.scripted({ events: [mine.announced, mine.state, mine.issue], ignores })
      const target = await bench.scripted()
      for (const args of [[], ['--dry-run']]) {
        const { code, report } = await bench.catchup(source, target, ...args)
        expect(report.problems).toMatchObject([{ what: 'source', where: source.url, reason: NOTHING_COMPARED }])
        expect(code).toBe(3)
      }
      expect(bench.checkpoints(source)).toEqual([])
      const { stdout } = await bench.run(['catchup', ...endArguments(source, target)])
      expect(stdout).toMatch(/Check the address .* name what to copy with --repo or --author/s)
      expect(stdout).not.toMatch(/again with the same options/)
      const named = await bench.catchup(source, target, '--repo', mine.address)
      expect([named.code, idsOf(target.events.values())]).toEqual([0, idsOf([mine.announced, mine.state, mine.issue])])
    },
  )

  it('is expected where its software can be set so and it shows nothing (no false green #2)', async () => {
    const bench = createWorkbench()
    const document = { software: 'https://git.sr.ht/~gheartsfield/nostr-rs-relay' }
    const ignores = (filter: Filter): boolean => isScraper(filter)
    const source = await bench.scripted({ events: [other.announced, other.state], ignores, document })
    const target = await bench.scripted({ events: mine.events })
    const { code, report } = await bench.catchup(source, target)
    expect(report.problems.map(({ what, where }) => [what, where])).toContainEqual(['narrow', source.url])
    expect([code, bench.checkpoints(source)]).toEqual([3, []])
    expect((await bench.catchup(source, target, '--repo', mine.address)).code).toBe(0)
  })

  it('says so to a person, with what helps', async () => {
    const bench = createWorkbench()
    const ignores = (filter: Filter): boolean => isScraper(filter)
    const source = await bench.scripted({ events: mine.events, ignores })
    const target = await bench.scripted({ events: [mine.announced] })
    const { stdout } = await bench.run(['catchup', '--source', source.url, '--target', target.url])
    expect(stdout).toMatch(/announcements not read to the end: it answers narrow questions only/)
    expect(stdout).toMatch(/Name the repositories with --repo, or their authors with --author/)
    expect(stdout).not.toMatch(/again with the same options/)
  })

  it('is found out where it compares the same way (NIP-77)', async () => {
    const bench = createWorkbench()
    const ignores = (filter: Filter): boolean => isScraper(filter)
    const source = await bench.scripted({ events: [...mine.events, ...other.events], ignores, negentropy: true })
    const target = await bench.scripted({ events: [mine.announced], negentropy: true })
    const { code } = await bench.catchup(source, target)
    expect([code, idsOf(target.events.values())]).toEqual([3, idsOf(mine.events)])
  })

  it('is not read to its end where kinds do not help either', async () => {
    const bench = createWorkbench()
    const ignores = ({ ids, authors }: Filter): boolean => ids === undefined && authors === undefined
    const narrow = await bench.scripted({ events: mine.events, ignores })
    const plain = await bench.scripted({ events: [mine.announced, mine.issue] })
    const target = await bench.scripted()
    const { code, report } = await bench.catchup([narrow, plain], target, '--repo', mine.address)
    expect(code).toBe(3)
    expect(report.sources[0]?.layers.map(({ end }) => end)).toEqual(['drained', 'incomplete', 'incomplete'])
  })

  it('is found out when it ignores tags alone', async () => {
    const bench = createWorkbench()
    const ignores = ({ ids, authors, kinds }: Filter): boolean => (ids ?? authors ?? kinds) === undefined
    const source = await bench.scripted({ events: mine.events, ignores })
    const target = await bench.scripted()
    const { code } = await bench.catchup(source, target)
    expect([code, idsOf(target.events.values())]).toEqual([0, idsOf(mine.events)])
  })

  it('is found out when it ignores one tag alone', async () => {
    const bench = createWorkbench()
    const ignores = (filter: Filter): boolean => isScraper(filter) && filter['#a'] !== undefined
    const source = await bench.scripted({ events: mine.events, ignores })
    const target = await bench.scripted({ events: [mine.announced, mine.issue] })
    const { code } = await bench.catchup(source, target)
    expect([code, idsOf(target.events.values())]).toEqual([0, idsOf(mine.events)])
    expect(source.received.reqs.flatMap(({ filters }) => filters)).toContainEqual(
      expect.objectContaining({ '#a': [mine.address], kinds: expect.arrayContaining([1621]) as number[] }),
    )
  })

  it('is found out in a quick run as well', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: mine.events })
    const target = await bench.scripted()
    expect((await bench.catchup(source, target)).code).toBe(0)
    const late = issue(mine.address, bob, { createdAt: nowSeconds() })
    source.events.set(late.id, late)
    source.behaviour.ignores = (filter) => isScraper(filter)
    const { code, report } = await bench.catchup(source, target)
    expect([code, report.sources[0]?.layers.map(({ end }) => end)]).toEqual([3, ['incomplete', 'drained', 'drained']])
    expect(target.events.has(late.id)).toBe(true)
  })
})

describe('a source that leaves something out of a broad answer', () => {
  it('which it shows to a narrow question, is not read to its end (no false green #2)', async () => {
    const bench = createWorkbench()
    const remark = comment(mine.issue, alice, { createdAt: 1_750_001_000, tags: [['a', mine.address]] })
    const source = await bench.scripted({
      events: [...mine.events, remark],
      onReq: ({ filters, answer }) =>
        filters.some((filter) => filter['#a'] !== undefined)
          ? { ...answer, rows: answer.rows.filter((row) => (row as { id: string }).id !== remark.id) }
          : 'default',
    })
    const target = await bench.scripted()
    const { code, report } = await bench.catchup(source, target)
    expect(report.problems.map(({ reason }) => reason).join()).toMatch(/leaves out of a broad answer/)
    expect([code, bench.checkpoints(source)]).toEqual([3, []])
  })
})

describe('an honest source', () => {
  it('into which an event falls between two questions stays believed', async () => {
    const bench = createWorkbench()
    const late = comment(mine.issue, alice, { createdAt: 1_750_001_000, tags: [['a', mine.address]] })
    const source = await bench.scripted({
      events: mine.events,
      onReq: ({ filters }) => {
        if (filters.some((filter) => filter['#a'] !== undefined)) source.events.set(late.id, late)
        return 'default'
      },
    })
    const target = await bench.scripted()
    const { code } = await bench.catchup(source, target)
    expect([code, target.events.has(late.id)]).toEqual([0, true])
  })

  it('without anything in the scope is asked once for what is known elsewhere, and believed', async () => {
    const bench = createWorkbench()
    const [empty, plain] = await Promise.all([bench.scripted(), bench.scripted({ events: mine.events })])
    const target = await bench.scripted()
    const { code } = await bench.catchup([empty, plain], target)
    const questions = empty.received.reqs.flatMap(({ filters }) => filters)
    expect(questions.filter(({ ids, kinds }) => ids !== undefined && kinds !== undefined).length).toBeLessThanOrEqual(1)
    expect(code).toBe(0)
  })
})

describe('a target that answers narrow questions only', () => {
  it('may hide announcements: the run is partial (no false green #2)', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: mine.events })
    const ignores = (filter: Filter): boolean => isScraper(filter)
    const target = await bench.scripted({ events: [mine.announced, other.announced], ignores })
    const { code, report } = await bench.catchup(source, target)
    expect(report.problems.map(({ what, where }) => [what, where])).toContainEqual(['narrow', target.url])
    expect([code, idsOf(target.events.values())]).toEqual([3, idsOf([...mine.events, other.announced])])
    const named = await bench.catchup(source, target, '--repo', mine.address)
    expect(named.code).toBe(0)
  })

  describe.each([true, false])('and is read by NIP-77: %s', (negentropy) => {
    it('is found out by what it was sent, and not taken for one that was restored (no false green #2)', async () => {
      const bench = createWorkbench()
      const source = await bench.scripted({ events: mine.events, negentropy })
      const target = await bench.scripted({ ignores: (filter) => isScraper(filter), negentropy })
      const runs = [await bench.catchup(source, target), await bench.catchup(source, target)]
      for (const { code, report } of runs) {
        expect(report.notes.join()).not.toMatch(/restored/)
        expect(report.problems.map(({ what, where }) => [what, where])).toContainEqual(['narrow', target.url])
        expect(code).toBe(3)
      }
      expect(runs[1]?.report.totals.published).toBe(0)
    })

    it('and did not before, has lost no announcement that it shows by its address (no false green #2)', async () => {
      const bench = createWorkbench()
      const source = await bench.scripted({ events: mine.events, negentropy })
      const target = await bench.scripted({ events: [mine.announced], negentropy })
      expect((await bench.catchup(source, target)).code).toBe(0)
      target.behaviour.ignores = (filter) => isScraper(filter)
      const { code, report } = await bench.catchup(source, target)
      expect(report.notes.join()).not.toMatch(/restored/)
      expect(report.problems.map(({ what, where }) => [what, where])).toEqual([['narrow', target.url]])
      expect([code, report.totals.published]).toEqual([3, 0])
    })
  })
})
