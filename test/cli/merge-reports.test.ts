import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'

import { runMerge } from '../../src/cli/merge/run-merge.ts'
import { renderJson } from '../../src/cli/render/render-json.ts'
import { renderReport } from '../../src/cli/render/render-table.ts'
import { SyncError, UsageError } from '../../src/errors.ts'
import type { Report } from '../../src/report/report.ts'
import { reportSchema } from '../support/report-schema.ts'
import { CHECKED, HELD_BACK, layerReport, NOW, PARTIAL, REPAIRED, report } from './reports.ts'

const ADDRESS = `30617:${'ab'.repeat(32)}:hello`

/** The report of a shard, changed as asked. */
function shard(number: number, changes: Partial<Report> = {}, of = 2): Report {
  return report({ shard: { number, of, plan: 'p' }, ...changes })
}

/** Writes each text, or report as `--json` prints it, to a file and merges them. */
function merge(...documents: readonly (Report | string)[]): Promise<Report> {
  const directory = mkdtempSync(join(tmpdir(), 'ngit-sync-merge-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const files = documents.map((document, index) => {
    const file = join(directory, `${index + 1}.json`)
    writeFileSync(file, typeof document === 'string' ? document : renderJson(document))
    return file
  })
  const openStdin = (): never => {
    throw new Error('nothing is read from standard input')
  }
  return runMerge(files, { openStdin, signal: new AbortController().signal })
}

async function problemsOf(merging: Promise<unknown>): Promise<string> {
  const error: unknown = await merging.catch((thrown: unknown) => thrown)
  if (!(error instanceof UsageError)) throw new Error(`no UsageError: ${String(error)}`)
  return error.problems.join('\n')
}

describe('mergeReports', () => {
  it('is complete when every shard is there and complete', async () => {
    const merged = await merge(shard(2), shard(1))
    expect(merged).toMatchObject({ exit: 0, complete: true, shard: null, merged: { of: 2, missing: [] } })
    expect(merged.merged?.shards.map(({ number }) => number)).toEqual([1, 2])
  })

  it('is partial when a shard is missing, and names it', async () => {
    const merged = await merge(shard(1, {}, 4), shard(3, {}, 4))
    expect(merged).toMatchObject({ exit: 3, complete: false, merged: { of: 4, missing: [2, 4] } })
    expect(merged.problems).toContainEqual(
      expect.objectContaining({ what: 'shard', reason: 'shard 2, 4 of 4', count: 2 }),
    )
    const text = renderReport(merged, { color: false, width: 80, now: NOW })
    expect(text.replaceAll(/\s+/g, ' ')).toContain('partial (3): 2 of 4 shards: 2 shards have no report')
  })

  it.each([
    [[0, 3], 3],
    [[3, 1], 1],
    [[5, 3], 3],
    [[0, 5], 5],
    [[0, 130], 3],
    [[143, 5], 3],
  ])('ends as the worst of its shards: %j → %i', async (exits, expected) => {
    const shards = exits.map((exit, index) => shard(index + 1, { exit, complete: exit === 0 }))
    const { exit, complete, merged } = await merge(...shards)
    expect([exit, complete]).toEqual([expected, false])
    expect(merged?.shards.map(({ exit: own }) => own)).toEqual(exits)
  })

  it('counts a shard that ended without a report as missing, with its reason and its exit code', async () => {
    const failure = renderJson({ version: 1, exit: 1, error: 'connect to wss://a: refused', hint: null })
    const merged = await merge(shard(1), failure)
    const failed = { file: expect.stringMatching(/2\.json$/), exit: 1, error: 'connect to wss://a: refused' }
    expect(merged).toMatchObject({ exit: 1, merged: { missing: [2], failures: [failed] } })
    expect(merged.problems.map(({ reason }) => reason)).toContain('ended without a report: connect to wss://a: refused')
    await expect(merge(failure)).rejects.toThrow(SyncError)
  })

  it.each([
    [1, 1],
    [2, 1],
    [4, 3],
    [143, 3],
  ])('ends, after a run that ended with %i without a report, with %i', async (exit, expected) => {
    const merged = await merge(shard(1), renderJson({ version: 1, exit, error: 'no', hint: null }))
    expect(merged.exit).toBe(expected)
  })

  it('does not blame the target when a run ended without a report though no shard is missing', async () => {
    const merged = await merge(shard(1), shard(2), renderJson({ version: 1, exit: 1, error: 'no', hint: null }))
    const text = renderReport(merged, { color: false, width: 200, now: NOW })
    expect(text).toContain(
      'failed (1): 2 of 2 shards: a run ended without a report; no events sent. Run the shards again',
    )
    expect(text).toContain(
      '"ended without a report: no (no shard is missing: leave the file out if that was an earlier try)"',
    )
  })

  it('says which shards were interrupted, and how each ended', async () => {
    const ended = (number: number, exit: number) => shard(number, { exit, complete: exit === 0 }, 9)
    const merged = await merge(...[1, 2, 3].map((number) => ended(number, 0)), ended(5, 130), ended(6, 0), ended(9, 3))
    const text = renderReport(merged, { color: false, width: 200, now: NOW })
    expect(text).toContain(
      'merged   6 of 9 shards · no report: 4, 7–8 · interrupted (130): 5 · partial (3): 9 · complete (0): 1–3, 6',
    )
    expect(text).toContain(
      'partial (3): 6 of 9 shards: 3 shards have no report and shard 5 was interrupted; no events sent.',
    )
  })

  it('adds up what each shard did alone, and leaves out the announcements of the others', async () => {
    const layer = layerReport({ fetched: 10, unique: 10, held: 4, dropped: { 'another shard': 5, expired: 1 } })
    const totals = { ...report({}).totals, parked: 1, refused: 2 }
    const merged = await merge(shard(1, { layers: [layer], totals }), shard(2, { layers: [layer], totals }))
    expect(merged.layers).toEqual([layerReport({ fetched: 20, unique: 10, held: 8, dropped: { expired: 2 } })])
    expect(merged.totals).toEqual({
      fetched: 20,
      unique: 10,
      held: 8,
      published: 0,
      accepted: 0,
      parked: 2,
      refused: 4,
    })
    expect(merged.scope.repositories).toBe(2 * report({}).scope.repositories)
  })

  it('has a source drained only where every shard that asked it drained it', async () => {
    const [source] = PARTIAL.sources
    if (source === undefined) throw new Error('PARTIAL has a source')
    const ends = async (one: 'drained' | 'incomplete' | 'not asked', other: 'drained' | 'incomplete' | 'not asked') => {
      const withEnd = (end: typeof one) => ({
        ...source,
        layers: source.layers.slice(0, 1).map((layer) => ({ ...layer, end })),
      })
      const merged = await merge(shard(1, { sources: [withEnd(one)] }), shard(2, { sources: [withEnd(other)] }))
      return merged.sources[0]?.layers[0]?.end
    }
    expect(await ends('drained', 'not asked')).toBe('drained')
    expect(await ends('drained', 'incomplete')).toBe('incomplete')
    expect(await ends('not asked', 'not asked')).toBe('not asked')
  })

  it('promises the least range: since the earliest time, and full only where all were', async () => {
    const ranged = (number: number, completeSince: number | null, fullAt: number | null) =>
      shard(number, { range: { completeSince, fullAt } })
    expect((await merge(ranged(1, null, NOW), ranged(2, NOW - 9, NOW - 5))).range).toEqual({
      completeSince: NOW - 9,
      fullAt: NOW - 5,
    })
    expect((await merge(ranged(1, null, NOW), ranged(2, null, null))).range).toEqual({
      completeSince: null,
      fullAt: null,
    })
  })

  it('lasts from the first start to the last end', async () => {
    const merged = await merge(
      shard(1, { startedAt: NOW - 100, durationMs: 5_000 }),
      shard(2, { startedAt: NOW - 60, durationMs: 10_000 }),
    )
    expect([merged.startedAt, merged.durationMs]).toEqual([NOW - 100, 50_000])
  })

  it.each([
    ['another command', { command: 'backfill' }, ['(catchup)', '(backfill)', 'their commands differ']],
    ['another target', { target: 'wss://other.example' }, ['(wss://other.example)', 'their targets differ']],
    ['other sources', { sources: [] }, ['(wss://relay.one)', '2.json do not', 'their sources differ']],
    ['another scope', { scope: { kind: 'all', why: '', repositories: 1 } }, ['(all)', 'their scopes differ']],
    ['another window', { window: { since: 1, until: null } }, ['their windows differ', 'the same time']],
    ['another number of shards', { shard: { number: 2, of: 3, plan: 'p' } }, ['(of 2)', '(of 3)', 'numbers of shards']],
    ['other options', { shard: { number: 2, of: 2, plan: 'q' } }, ['1.json and', 'their other options differ']],
  ] as const)('refuses a shard with %s', async (_, changes, texts) => {
    const problems = await problemsOf(merge(shard(1), shard(2, changes)))
    for (const text of [...texts, 'do not belong together']) expect(problems).toContain(text)
  })

  it('names the odd one of many in one line', async () => {
    const many = Array.from({ length: 300 }, (_, index) => shard(index + 1, {}, 300))
    const problems = await problemsOf(merge(shard(1, { target: 'wss://odd.example' }, 300), ...many.slice(1)))
    expect(problems).toMatch(
      /^\S+\/2\.json with 298 more \(ws:\S+\) and \S+\/1\.json \(wss:\/\/odd\.example\) do not belong/,
    )
    expect(problems.split('\n')).toHaveLength(1)
  })

  it('merges 300 shards, and says in one line that two hundred are there twice', async () => {
    const many = Array.from({ length: 300 }, (_, index) => shard(index + 1, {}, 300))
    expect((await merge(...many)).exit).toBe(0)
    const problems = await problemsOf(merge(...many, ...many.slice(100)))
    expect(problems).toMatch(
      /^shard 101 is there twice, in \S+\/101\.json and \S+\/301\.json, and 199 more: give its last/,
    )
    expect(problems.split('\n')).toHaveLength(1)
  })

  it('names a file once in which a shard is twice', async () => {
    const problems = await problemsOf(merge(renderJson(shard(1)) + renderJson(shard(1))))
    expect(problems).toMatch(/^shard 1 is there twice, in \S+\/1\.json: give its last report$/)
  })

  it('says that a report which does not fit was written by another version', async () => {
    const text = renderJson(shard(1))
      .replace(/"toolVersion":"[^"]*"/, '"toolVersion":"0.0.9"')
      .replace('"layers"', '"rows"')
    expect(await problemsOf(merge(shard(2), text))).toMatch(/2\.json was written by ngit-sync 0\.0\.9, this is /)
  })

  it('refuses one shard twice, a whole report, and a merged one', async () => {
    expect(await problemsOf(merge(shard(1), shard(1)))).toContain('shard 1 is there twice')
    expect(await problemsOf(merge(shard(1), report({})))).toContain('is of a run without --shard')
    const merged = await merge(shard(1), shard(2))
    expect(await problemsOf(merge(merged))).toContain('is merged already')
  })

  it.each([
    ['no JSON', 'x', 'it is no JSON, or was cut off'],
    ['nothing', '', 'is empty'],
    ['a report that was cut off', renderJson(shard(1)).slice(0, 500), 'it is no JSON, or was cut off'],
    ['something else', '{"version":1}', 'holds no report'],
    ['null', 'null', 'holds no report'],
    ['a status', '{"version":1,"stateFile":"s","targets":[]}', 'required property "toolVersion"'],
    [
      'a text for a number',
      renderJson(shard(1)).replace('"fetched":231', '"fetched":"\\u001b[31m"'),
      'layers.0.fetched: Instance type "string" is invalid. Expected "integer"',
    ],
    ['a name with an escape sequence', renderJson(shard(1)).replace('"held"', '"\\u001b[31m"'), 'holds no report'],
    ['complete although partial', renderJson(shard(1, { exit: 3 })), 'contradicts itself'],
    ['wrong usage, which has no report', renderJson(shard(1, { exit: 2, complete: false })), 'contradicts itself'],
    ['an exit code that there is not', renderJson(shard(1, { exit: 77, complete: false })), 'contradicts itself'],
    ['a shard beyond the last', renderJson(shard(3)), 'contradicts itself'],
    ['more shards than there may be', renderJson(shard(1, {}, 1e15)), 'contradicts itself'],
  ])('refuses a file with %s', async (_, text, problem) => {
    const problems = await problemsOf(merge(shard(2), text))
    expect(problems).toContain(problem)
    expect(problems).not.toContain('\u001b')
  })

  it('says that a file is not there, and that the merge can do without', async () => {
    const place = { openStdin: () => process.stdin, signal: new AbortController().signal }
    const error: unknown = await runMerge(['/nowhere/1.json'], place).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ message: 'read the report /nowhere/1.json: no such file' })
  })

  it('reads a document over several lines, and several documents a line each', async () => {
    expect((await merge(JSON.stringify(JSON.parse(renderJson(shard(1))), null, 2), renderJson(shard(2)))).exit).toBe(0)
    expect((await merge(renderJson(shard(1)) + renderJson(shard(2)))).exit).toBe(0)
  })

  it('keeps what one repository needs, and finds the outage of all', async () => {
    const hit = { repository: ADDRESS, name: 'Hello', missing: 3, sent: 1, waiting: 2, refused: 0, pending: 0 }
    const signed = (from: number) => ({ stretch: null, histogram: [{ from, to: from + 3_599, missing: 5 }] })
    const hour = NOW - (NOW % 3_600)
    const merged = await merge(
      shard(1, { repositories: [hit], signed: signed(hour) }),
      shard(2, {
        repositories: [{ ...hit, repository: null }, hit],
        repositoriesLeftOut: 4,
        signed: signed(hour + 3_600),
      }),
    )
    expect(merged.repositories[0]).toEqual({ ...hit, missing: 6, sent: 2, waiting: 4 })
    expect(merged.repositoriesLeftOut).toBe(4)
    expect(merged.signed.stretch).toMatchObject({ from: hour, to: hour + 7_199, events: 10, of: 10 })
  })

  const documents = [report({}), CHECKED, HELD_BACK, PARTIAL, REPAIRED]

  it('gives a report by the schema, whatever numbers and names the shards bring, and one that can be shown', async () => {
    const huge = fc.constantFrom(0, 1, 7, Number.MAX_SAFE_INTEGER)
    await fc.assert(
      fc.asyncProperty(fc.nat(documents.length - 1), huge, huge, fc.string(), async (index, count, time, name) => {
        const changes = (number: number): Report => {
          const changed = {
            ...documents[index],
            shard: { number, of: 3, plan: '' },
            startedAt: time,
            durationMs: count,
          }
          const layers = [layerReport({ fetched: count, unique: count, dropped: { [name]: count } })]
          const problems = [{ what: name, where: name, reason: name, count, example: null }]
          return report({ ...changed, layers, problems, notes: [name] })
        }
        const merged = await merge(changes(1), changes(3))
        expect(reportSchema.safeParse(JSON.parse(renderJson(merged))).error).toBeUndefined()
        expect(renderReport(merged, { color: false, width: 80, now: NOW, verbose: true })).toMatch(/took\s/)
      }),
      { numRuns: 50 },
    )
  })
})
