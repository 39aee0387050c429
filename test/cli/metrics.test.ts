import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  formatMetrics,
  readFormerMetrics,
  refuseMetricsFile,
  writeMetrics,
} from '../../src/cli/monitor/metrics-file.ts'
import { endLabel, listMetrics, type History, type Metric, type RunEnd } from '../../src/cli/monitor/metrics.ts'
import type { SourceReport } from '../../src/report/report.ts'
import { layerReport, report } from './reports.ts'

const BUILD = { version: '1.2.3', node: 'v20.1.0' }
const NOTHING: History = {
  lastSuccessAt: undefined,
  waiting: undefined,
  sourceOf: () => ({ lastDrainedAt: undefined, undrainedRuns: 0 }),
}

function runEnd(changes: Partial<RunEnd> = {}): RunEnd {
  return {
    command: 'catchup',
    target: 'wss://git.example',
    sources: ['wss://one.example'],
    exit: 0,
    endedAt: 2_000,
    durationMs: 1_500,
    report: report({ sources: [source('wss://one.example', true)], startedAt: 1_900 }),
    ...changes,
  }
}

function source(url: string, complete: boolean, discovered = false): SourceReport {
  return { url, complete, discovered, reason: null, lastDrained: null, notes: [], layers: [] }
}

/** The values of a metric by their labels, without those of every series. */
function valuesOf(metrics: readonly Metric[], name: string): [Record<string, string>, number][] {
  const found = metrics.find((metric) => metric.name === name)
  return (found?.values ?? []).map(({ labels, value }) => {
    const own = Object.entries(labels).filter(([label]) => label !== 'command' && label !== 'target')
    return [Object.fromEntries(own), value]
  })
}

function temporaryFile(name: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'ngit-sync-metrics-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return join(directory, name)
}

describe('listMetrics', () => {
  it('takes the end of a complete run for the last success', () => {
    const metrics = listMetrics(runEnd(), { ...NOTHING, lastSuccessAt: 1_000 }, BUILD)
    expect(valuesOf(metrics, 'last_success_timestamp_seconds')).toEqual([[{}, 2_000]])
    expect(valuesOf(metrics, 'last_run_duration_seconds')).toEqual([[{}, 1.5]])
  })

  it.each([1, 2, 3, 4, 5, 130, 143])('keeps the last success over a run that ended with %d', (exit) => {
    const metrics = listMetrics(runEnd({ exit, report: undefined }), { ...NOTHING, lastSuccessAt: 1_000 }, BUILD)
    expect(valuesOf(metrics, 'last_success_timestamp_seconds')).toEqual([[{}, 1_000]])
    expect(valuesOf(metrics, 'last_run_exit_code')).toEqual([[{}, exit]])
  })

  it('counts runs in a row that did not read a source to its end', () => {
    const sources = ['wss://one.example', 'wss://two.example']
    const end = runEnd({
      sources,
      report: report({ sources: sources.map((url, index) => source(url, index === 0)), startedAt: 1_900 }),
    })
    const sourceOf = () => ({ lastDrainedAt: 500, undrainedRuns: 2 })
    const metrics = listMetrics(end, { ...NOTHING, sourceOf }, BUILD)
    const [one, two] = sources.map((url) => ({ source: url }))
    expect(valuesOf(metrics, 'source_undrained_runs')).toEqual([
      [one, 0],
      [two, 3],
    ])
    expect(valuesOf(metrics, 'source_last_drained_timestamp_seconds')).toEqual([
      [one, 1_900],
      [two, 500],
    ])
    expect(valuesOf(metrics, 'source_drained').map(([, value]) => value)).toEqual([1, 0])
  })

  it('does not count a run that asked no source', () => {
    const sourceOf = () => ({ lastDrainedAt: 500, undrainedRuns: 2 })
    const metrics = listMetrics(runEnd({ exit: 1, report: undefined }), { ...NOTHING, sourceOf }, BUILD)
    expect(valuesOf(metrics, 'source_undrained_runs').map(([, value]) => value)).toEqual([2])
  })

  it('counts discovered sources without naming them: strangers choose their names', async () => {
    const stranger = source('wss://stranger.example', false, true)
    const end = runEnd({ report: report({ sources: [source('wss://one.example', true), stranger] }) })
    const metrics = listMetrics(end, NOTHING, BUILD)
    expect(valuesOf(metrics, 'discovered_sources')).toEqual([
      [{ drained: '1' }, 0],
      [{ drained: '0' }, 1],
    ])
    expect(await formatMetrics(metrics)).not.toContain('stranger')
  })

  it('sums what waits by outcome, with the oldest, whatever the reasons', () => {
    const group = { reason: 'a', nextTryAt: null, keptUntil: null, obstacle: null, example: null, attempts: 1 }
    const parked = [
      { ...group, outcome: 'pending', count: 2, oldestAt: 70 },
      { ...group, outcome: 'pending', reason: 'b', count: 3, oldestAt: 50 },
    ]
    const metrics = listMetrics(runEnd(), { ...NOTHING, waiting: { parked, refused: 4 } }, BUILD)
    expect(valuesOf(metrics, 'parked_events')).toEqual([
      [{ outcome: 'pending' }, 5],
      [{ outcome: 'waiting' }, 0],
      [{ outcome: 'unanswered' }, 0],
    ])
    expect(valuesOf(metrics, 'parked_oldest_timestamp_seconds')).toEqual([[{ outcome: 'pending' }, 50]])
    expect(valuesOf(metrics, 'refused_events')).toEqual([[{}, 4]])
  })

  it('counts events by layer, step and outcome, and late arrivals', () => {
    const layers = [
      layerReport({ fetched: 9, published: 4, outcomes: { refused: 1, 'too-large': 2 }, lateArrivals: 3 }),
    ]
    const metrics = listMetrics(runEnd({ report: report({ layers }) }), NOTHING, BUILD)
    const layer = 'announcements'
    expect(valuesOf(metrics, 'last_run_events')).toContainEqual([{ layer, step: 'published' }, 4])
    expect(valuesOf(metrics, 'last_run_outcome_events')).toEqual([
      [{ layer, outcome: 'accepted' }, 0],
      [{ layer, outcome: 'refused' }, 1],
      [{ layer, outcome: 'too-large' }, 2],
    ])
    expect(valuesOf(metrics, 'last_run_late_arrivals')).toEqual([[{ layer }, 3]])
  })
})

describe('endLabel', () => {
  it.each([
    ['wss://relay.example/?token=secret', 'wss://relay.example/'],
    ['wss://user:secret@relay.example', 'wss://…@relay.example'],
    ['./backup\n\u202e.jsonl', './backup\\n\\u{202e}.jsonl'],
  ])('shows no secret and no control character of %j', (url, label) => {
    expect(endLabel(url)).toBe(label)
  })
})

describe('formatMetrics', () => {
  it('gives every metric its unit, HELP and TYPE, and says nothing of those without a value', async () => {
    const text = await formatMetrics(listMetrics(runEnd({ exit: 1, report: undefined }), NOTHING, BUILD))
    const names = [...text.matchAll(/^(\w+)[{ ]/gm)].map(([, name = '']) => name)
    for (const name of names) {
      expect(name).toMatch(/^ngit_sync_[a-z_]+$/)
      expect(text).toMatch(new RegExp(`^# HELP ${name} .+\\.$`, 'm'))
      expect(text).toContain(`# TYPE ${name} gauge`)
    }
    expect(text).toContain('ngit_sync_build_info{version="1.2.3",node="v20.1.0"} 1\n')
    expect(text).not.toContain('last_success')
    expect(text.endsWith('\n')).toBe(true)
  })

  it('escapes labels', async () => {
    const text = await formatMetrics(listMetrics(runEnd({ target: './a"b\\c' }), NOTHING, BUILD))
    expect(text).toContain('target="./a\\"b\\\\c"')
  })
})

describe('writeMetrics', () => {
  it('replaces the file in one step, readable by others, and leaves nothing beside it', async () => {
    const path = temporaryFile('a.prom')
    writeFileSync(path, 'old')
    chmodSync(path, 0o600)
    await writeMetrics(path, listMetrics(runEnd(), NOTHING, BUILD))
    expect(statSync(path).mode & 0o777).toBe(0o644)
    expect(readFileSync(path, 'utf8')).toContain('ngit_sync_last_run_exit_code')
    expect(readdirSync(join(path, '..'))).toEqual(['a.prom'])
  })
})

describe('refuseMetricsFile', () => {
  it('refuses a place where no file can be put', () => {
    expect(() => refuseMetricsFile('/nowhere/a.prom')).toThrow('/nowhere/a.prom cannot be written')
    expect(() => refuseMetricsFile(tmpdir())).toThrow('it is a directory')
    expect(() => refuseMetricsFile(temporaryFile('a.prom'))).not.toThrow()
  })
})

describe('readFormerMetrics', () => {
  it('remembers what was written, whatever the labels hold', async () => {
    const path = temporaryFile('a.prom')
    const target = './a"b\\n\\c,x="y"'
    const sourceOf = () => ({ lastDrainedAt: 1_700_000_000, undrainedRuns: 6 })
    const end = runEnd({ target, exit: 3, report: report({ sources: [source('wss://one.example', false)] }) })
    await writeMetrics(path, listMetrics(end, { ...NOTHING, sourceOf, lastSuccessAt: 1_600_000_000 }, BUILD))
    const former = readFormerMetrics(path)
    expect(former.lastSuccessAt('catchup', endLabel(target))).toBe(1_600_000_000)
    expect(former.sourceOf('catchup', endLabel(target), 'wss://one.example')).toEqual({
      lastDrainedAt: 1_700_000_000,
      undrainedRuns: 7,
    })
    expect(former.lastSuccessAt('check', endLabel(target))).toBeUndefined()
  })

  it.each([
    ['an absent file', undefined],
    ['garbage', '\0\u0001{}{{{"'],
    ['a value that is no number', 'ngit_sync_last_success_timestamp_seconds{command="catchup",target="t"} NaN\n'],
    [
      'a file of more than a mebibyte',
      `${'#'.repeat(1024 * 1024)}\nngit_sync_last_success_timestamp_seconds{command="catchup",target="t"} 5\n`,
    ],
  ])('remembers nothing of %s', (_, text) => {
    const path = temporaryFile('a.prom')
    if (text !== undefined) writeFileSync(path, text)
    expect(readFormerMetrics(path).lastSuccessAt('catchup', 't')).toBeUndefined()
  })
})
