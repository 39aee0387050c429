import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { NOTHING_COMPARED } from '../../src/check/find-missing.ts'
import type { RenderOptions } from '../../src/cli/render/canvas.ts'
import { isAllWell } from '../../src/cli/render/all-well.ts'
import { renderReport } from '../../src/cli/render/render-table.ts'
import { visibleWidth } from '../../src/cli/render/text-width.ts'
import type { CheckReport, Difference, HistogramBin, Report, SourceLayerReport } from '../../src/report/report.ts'
import type { LayerName } from '../../src/layer-name.ts'
import { NOW, PARTIAL, report } from './reports.ts'

const HOUR = 3_600
const DAY = 24 * HOUR
/** 2025-11-19T00:00:00Z */
const MIDNIGHT = 1_763_510_400
const NGIT = `30617:${'ab'.repeat(32)}:ngit`
const MINE = `30617:${'0f'.repeat(32)}:my-repo`

function render(changed: Report, options: Partial<RenderOptions> = {}): string {
  return `\n${renderReport(changed, { color: false, width: 80, now: NOW, timeZone: 'UTC', ...options })}`
}

/** What one layer, kind and repository has: `targetHas` of it at the target, `missing` only at the source. */
function difference(
  [layer, kind]: readonly [LayerName, number],
  repository: string | null,
  [targetHas, missing]: readonly [number, number],
): Difference {
  return { layer, kind, repository, sourceHas: targetHas + missing, targetHas, missing }
}

function bins(start: number, width: number, counts: readonly number[]): HistogramBin[] {
  return counts.map((missing, index) => {
    return { from: start + index * width, to: start + (index + 1) * width - 1, missing }
  })
}

/** The source of all reports here, each of its layers read as told. */
function readBy(how: Partial<SourceLayerReport>): Report['sources'] {
  return report({}).sources.map((source) => ({
    ...source,
    layers: source.layers.map((layer) => ({ ...layer, ...how })),
  }))
}

const RECONCILED = readBy({
  mode: 'reconcile',
  reconcile: {
    roundTrips: 2,
    listed: 2,
    missing: 2,
    sentToSource: 300,
    receivedFromSource: 400,
    sentToTarget: 300,
    receivedFromTarget: 400,
  },
})

/** A check that paged everything, changed as asked. */
function checked(check: Partial<CheckReport>, changes: Partial<Report> = {}): Report {
  const base = report({})
  const nothing = { ...NOTHING_COMPARED, missing: 0 }
  const found = { ...nothing, ...check }
  return report({
    command: 'check',
    exit: found.missing === 0 ? 0 : 5,
    complete: found.missing === 0,
    dryRun: true,
    sources: readBy({ mode: 'full', pages: 3, reconcile: null }),
    layers: base.layers.map((layer) => ({ ...layer, dropped: { expired: 1, deleted: 3 } })),
    check: found,
    ...changes,
  })
}

/** The outage of the sketch: most of what is missing was signed within a few hours. */
const OUTAGE = checked({
  missing: 28,
  differences: [
    difference(['announcements', 30617], NGIT, [1, 0]),
    difference(['repositories', 1621], NGIT, [40, 3]),
    difference(['repositories', 1618], NGIT, [12, 1]),
    difference(['repositories', 1617], MINE, [9, 2]),
    difference(['repositories', 30618], NGIT, [1, 1]),
    difference(['threads', 1111], NGIT, [1_320, 14]),
    difference(['threads', 1111], MINE, [77, 5]),
    difference(['threads', 1631], NGIT, [30, 2]),
  ],
  histogram: bins(MIDNIGHT + 18 * HOUR, HOUR, [1, 0, 0, 0, 0, 0, 9, 12, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
})

const LATER_BIN = { from: MIDNIGHT + 3 * DAY, to: MIDNIGHT + 900 * DAY - 1, missing: 1 }

describe('a check that found differences', () => {
  it('shows them by repository, kind and time at 80 columns', () => {
    expect(render(OUTAGE)).toMatchInlineSnapshot(`
      "
      target   ws://localhost:7443 · ngit-grasp 1.0.2
      scope    listed: 214 repositories · the target is a GRASP relay
      source   wss://relay.one · last drained Sat 07:13, 29 h ago

       left out: 9 deleted · 3 expired

       layer              read           filters  pages  events    size  end
       wss://relay.one
         1 announcements  all by paging        1      3     231  310 kB  drained

       missing on the target  issues  patches  PRs  comments  statuses  states
       npub14w46…/ngit             3        ·    1        14         2       1
       npub1pu8s…/my-repo          ·        2    ·         5         ·       ·
       total                       3        2    1        19         2       1

       layer            kind                 source has  target has  missing
       1 announcements  30617 announcement            1           1        ·
       2 repositories   1617 patch                   11           9        2
       2 repositories   1618 pull request            13          12        1
       2 repositories   1621 issue                   43          40        3
       2 repositories   30618 state                   2           1        1
       3 threads        1111 comment              1,416       1,397       19
       3 threads        1631 status applied          32          30        2

       missing by created_at, one line for 1 h
       2025-11-19 18:00 ▏██ 1
       2025-11-19 19:00 ▏
       2025-11-19 20:00 ▏
       2025-11-19 21:00 ▏
       2025-11-19 22:00 ▏
       2025-11-19 23:00 ▏
       2025-11-20 00:00 ▏██████████████████ 9
       2025-11-20 01:00 ▏████████████████████████ 12
       2025-11-20 02:00 ▏████████████ 6  ← 27 of 28 missing events fall into 3 h
       2025-11-20 03:00 ▏
       2025-11-20 04:00 ▏
       2025-11-20 05:00 ▏
       2025-11-20 06:00 ▏
       2025-11-20 07:00 ▏
       2025-11-20 08:00 ▏
       2025-11-20 09:00 ▏
       2025-11-20 10:00 ▏
       2025-11-20 11:00 ▏

      differences (5): 28 events are missing. \`ngit-sync catchup\` with the same
      options would copy them. took 1.4 s
      "
    `)
  })

  it('names repositories as --repo takes them where there is room', () => {
    expect(render(OUTAGE, { width: 140 })).toMatchInlineSnapshot(`
      "
      target   ws://localhost:7443 · ngit-grasp 1.0.2
      scope    listed: 214 repositories · the target is a GRASP relay
      source   wss://relay.one · last drained Sat 07:13, 29 h ago

       left out: 9 deleted · 3 expired

       layer              read           filters  pages  events    size  end
       wss://relay.one
         1 announcements  all by paging        1      3     231  310 kB  drained

       missing on the target                                                    issues  patches  PRs  comments  statuses  states
       npub14w46h2at4w46h2at4w46h2at4w46h2at4w46h2at4w46h2at4w4scf6zts/ngit          3        ·    1        14         2       1
       npub1pu8s7rc0pu8s7rc0pu8s7rc0pu8s7rc0pu8s7rc0pu8s7rc0pu8s6qgapr/my-repo       ·        2    ·         5         ·       ·
       total                                                                         3        2    1        19         2       1

       layer            kind                 source has  target has  missing
       1 announcements  30617 announcement            1           1        ·
       2 repositories   1617 patch                   11           9        2
       2 repositories   1618 pull request            13          12        1
       2 repositories   1621 issue                   43          40        3
       2 repositories   30618 state                   2           1        1
       3 threads        1111 comment              1,416       1,397       19
       3 threads        1631 status applied          32          30        2

       missing by created_at, one line for 1 h
       2025-11-19 18:00 ▏██ 1
       2025-11-19 19:00 ▏
       2025-11-19 20:00 ▏
       2025-11-19 21:00 ▏
       2025-11-19 22:00 ▏
       2025-11-19 23:00 ▏
       2025-11-20 00:00 ▏██████████████████ 9
       2025-11-20 01:00 ▏████████████████████████ 12
       2025-11-20 02:00 ▏████████████ 6  ← 27 of 28 missing events fall into 3 h
       2025-11-20 03:00 ▏
       2025-11-20 04:00 ▏
       2025-11-20 05:00 ▏
       2025-11-20 06:00 ▏
       2025-11-20 07:00 ▏
       2025-11-20 08:00 ▏
       2025-11-20 09:00 ▏
       2025-11-20 10:00 ▏
       2025-11-20 11:00 ▏

      differences (5): 28 events are missing. \`ngit-sync catchup\` with the same options would copy them. took 1.4 s
      "
    `)
  })

  it('counts what has no column of its own among the others when it gets narrow', () => {
    const text = render(OUTAGE, { width: 40 })
    expect(text.slice(text.indexOf(' missing on'))).toMatchInlineSnapshot(`
      " missing on the target  issues  other
       npub14w46…/ngit             3     18
       npub1pu8s…/my-repo          ·      7
       total                       3     25

       layer            kind           missing
       1 announcements  30617 announ…        ·
       2 repositories   1617 patch           2
       2 repositories   1618 pull re…        1
       2 repositories   1621 issue           3
       2 repositories   30618 state          1
       3 threads        1111 comment        19
       3 threads        1631 status …        2

       missing by created_at, one line for 1 h
       2025-11-19 18:00 ▏█▌ 1
       2025-11-19 19:00 ▏
       2025-11-19 20:00 ▏
       2025-11-19 21:00 ▏
       2025-11-19 22:00 ▏
       2025-11-19 23:00 ▏
       2025-11-20 00:00 ▏█████████████▌ 9
       2025-11-20 01:00 ▏██████████████████ 12
       2025-11-20 02:00 ▏█████████ 6
       2025-11-20 03:00 ▏
       2025-11-20 04:00 ▏
       2025-11-20 05:00 ▏
       2025-11-20 06:00 ▏
       2025-11-20 07:00 ▏
       2025-11-20 08:00 ▏
       2025-11-20 09:00 ▏
       2025-11-20 10:00 ▏
       2025-11-20 11:00 ▏
       27 of 28 missing events fall into 3 h

      differences (5): 28 events are missing.
      \`ngit-sync catchup\` with the same
      options would copy them. took 1.4 s
      "
    `)
  })

  it('gives announcements a column, and other kinds one together', () => {
    const differences = [
      difference(['announcements', 30617], NGIT, [0, 1]),
      difference(['announcements', 10317], null, [0, 2]),
      difference(['follow-ups', 7], NGIT, [0, 4]),
    ]
    const text = render(checked({ missing: 7, differences, histogram: bins(MIDNIGHT, DAY, [7]) }))
    expect(text.slice(text.indexOf(' missing on'))).toMatchInlineSnapshot(`
      " missing on the target  repo  other
       npub14w46…/ngit           1      4
       no known repository       ·      2
       total                     1      6

       layer            kind                source has  target has  missing
       1 announcements  10317 grasp list             2           ·        2
       1 announcements  30617 announcement           1           ·        1
       4 follow-ups     7 reaction                   4           ·        4

       missing by created_at, one line for 24 h
       2025-11-19 ▏████████████████████████ 7

      differences (5): 7 events are missing. \`ngit-sync catchup\` with the same options
      would copy them. took 1.4 s
      "
    `)
  })

  it('says that NIP-77 does not count what is equal, and shows no empty counts', () => {
    const differences = [difference(['threads', 1111], NGIT, [0, 2])]
    const found = { missing: 2, differences, histogram: bins(MIDNIGHT, HOUR, [2]) }
    const text = render(checked(found, { sources: RECONCILED }))
    expect(text.slice(text.indexOf(' layer  '))).toMatchInlineSnapshot(`
      " layer              read           filters  pages  events    size  end
       wss://relay.one
         1 announcements  all by NIP-77        1      ·     231  310 kB  drained

       missing on the target                                                 comments
       npub14w46h2at4w46h2at4w46h2at4w46h2at4w46h2at4w46h2at4w4scf6zts/ngit         2

       layer      kind          missing
       3 threads  1111 comment        2
       Events that NIP-77 proved equal are not counted: only the difference was read.

       missing by created_at, one line for 1 h
       2025-11-19 00:00 ▏████████████████████████ 2

      differences (5): 2 events are missing. \`ngit-sync catchup\` with the same options
      would copy them. took 1.4 s
      "
    `)
  })

  it('lists the ids with --ids, one a line, for scripts', () => {
    const ids = ['cd'.repeat(32), 'ef'.repeat(32)]
    const lines = render({ ...OUTAGE, check: OUTAGE.check && { ...OUTAGE.check, ids } }).split('\n')
    expect(lines.filter((line) => /^[0-9a-f]{64}$/.test(line))).toEqual(ids)
  })

  it('shows the way back with --both', () => {
    const both = [
      { source: 'wss://relay.one', missing: 3, differences: [difference(['threads', 1111], NGIT, [12, 3])] },
      { source: 'wss://relay.two', missing: 0, differences: [] },
    ]
    const text = render({ ...OUTAGE, check: OUTAGE.check && { ...OUTAGE.check, both } })
    expect(text.slice(text.indexOf(' wss://relay.one lacks'))).toMatchInlineSnapshot(`
      " wss://relay.one lacks 3 events that the target has
       layer      kind          missing
       3 threads  1111 comment        3

       wss://relay.two lacks nothing of what the target has

      differences (5): 28 events are missing. relay.one lacks 3 events. \`ngit-sync
      catchup\` with the same options except --both would copy the 28 missing ones.
      took 1.4 s
      "
    `)
  })

  it('does not offer to copy what only a source lacks', () => {
    const both = [{ source: 'wss://relay.one', missing: 1, differences: [difference(['threads', 1], null, [0, 1])] }]
    expect(render(checked({ both }, { exit: 5, complete: false }))).toContain(
      '\ndifferences (5): the target lacks nothing. relay.one lacks 1 event. took 1.4 s\n',
    )
  })

  it('offers backfill for a window', () => {
    const window = { since: MIDNIGHT, until: null }
    const text = render({ ...OUTAGE, window })
    expect(text).toMatch(/`ngit-sync backfill` with the same\soptions would copy them\./)
    expect(text).toContain('window   created_at from Wed 00:00 to the end')
  })

  it('sums up repositories beyond the tenth, and shows them all with --verbose', () => {
    const differences = Array.from({ length: 30 }, (_, index) =>
      difference(['threads', 1111], `30617:${'ab'.repeat(32)}:repository-${index}`, [0, 30 - index]),
    )
    const many = checked({ missing: 465, differences })
    expect(render(many)).toMatch(/ total +465\n the total holds 20 repositories more: --verbose and --json show all\n/)
    expect(render(many)).not.toContain('repository-10')
    expect(render(many, { verbose: true })).toContain('repository-29')
  })
})

describe('the histogram', () => {
  const histogramOf = (histogram: readonly HistogramBin[], options: Partial<RenderOptions> = {}): string => {
    const text = render(checked({ missing: 28, histogram }), options)
    return `\n${text.slice(text.indexOf(' missing by created_at'), text.indexOf('\n\ndifferences'))}\n`
  }

  it('puts the few that lie far off into a line of their own', () => {
    expect(histogramOf([...bins(MIDNIGHT, 6 * HOUR, [3, 0, 24]), LATER_BIN])).toMatchInlineSnapshot(`
      "
       missing by created_at, one line for 6 h
       2025-11-19 00:00 ▏███ 3  ← 27 of 28 missing events fall into 18 h
       2025-11-19 06:00 ▏
       2025-11-19 12:00 ▏████████████████████████ 24
       later            ▏█ 1
      "
    `)
  })

  it('names days by the day that most of a bin lies in, wherever the reader is', () => {
    const days = bins(MIDNIGHT, DAY, [0, 21, 6, 1])
    for (const timeZone of ['UTC', 'Asia/Tokyo', 'America/Los_Angeles']) {
      expect(histogramOf(days, { timeZone })).toContain(' 2025-11-20 ▏████')
    }
  })

  it('shows hours in local time', () => {
    expect(histogramOf(bins(MIDNIGHT, HOUR, [28]), { timeZone: 'Asia/Tokyo' })).toContain(' 2025-11-19 09:00 ▏')
  })

  it('draws eighths of a block, and at least one for a single event', () => {
    const lines = histogramOf(bins(MIDNIGHT, DAY, [1, 500, 1_000, 10_000])).split('\n')
    expect(lines.slice(2, 6).map((line) => line.slice(' 2025-11-19 ▏'.length))).toEqual([
      '▏ 1',
      '█▎ 500',
      '██▍ 1,000',
      `${'█'.repeat(24)} 10,000`,
    ])
  })

  it('remarks on nothing when the events are spread out', () => {
    expect(histogramOf(bins(MIDNIGHT, DAY, [4, 4, 4, 4, 4, 4, 4]))).not.toContain('fall into')
    expect(histogramOf(bins(MIDNIGHT, DAY, [1, 26, 1]))).not.toContain('fall into')
  })

  it('puts the remark below where no line of the stretch has room', () => {
    const counts = [0, 0, 1, 0, 27, 0, 0, 0, 0, 0]
    expect(histogramOf(bins(MIDNIGHT, HOUR, counts), { width: 60 })).toContain(
      '\n 27 of 28 missing events fall into 1 h\n',
    )
  })
})

describe('a check without differences', () => {
  const differences = [difference(['threads', 1111], NGIT, [15_000, 0]), difference(['threads', 1], NGIT, [505, 0])]
  const equal = checked({ differences })

  it('is one sentence', () => {
    expect(render(equal)).toBe('\nequal (0): the target holds all 15,505 events that the sources have. took 1.4 s\n')
  })

  it('has no number for what NIP-77 compared', () => {
    expect(render({ ...equal, sources: RECONCILED })).toBe(
      '\nequal (0): the target holds all that the sources have. took 1.4 s\n',
    )
  })

  it('says so for both ways, for a window, and where there is nothing', () => {
    const both = [{ source: 'wss://relay.one', missing: 0, differences: [] }]
    expect(render({ ...equal, check: { ...equal.check, both } as CheckReport })).toMatch(
      /have, and the\sother way round\./,
    )
    expect(render({ ...equal, window: { since: NOW - DAY, until: NOW } })).toMatch(/ have in the\swindow\./)
    expect(render(checked({}))).toContain('equal (0): there is nothing to compare.')
  })

  it('names what the target holds back and has refused', () => {
    const totals = { ...report({}).totals, parked: 9, refused: 6 }
    const problem = { where: 'ws://localhost:7443', count: 9, example: null }
    const problems = [{ ...problem, what: 'pending', reason: "purgatory: won't be served until git data arrives" }]
    const pending = { ...equal, totals, problems }
    expect(render(pending)).toMatchInlineSnapshot(`
      "
      target   ws://localhost:7443 · ngit-grasp 1.0.2
      scope    listed: 214 repositories · the target is a GRASP relay
      source   wss://relay.one · last drained Sat 07:13, 29 h ago

       left out: 9 deleted · 3 expired

       layer              read           filters  pages  events    size  end
       wss://relay.one
         1 announcements  all by paging        1      3     231  310 kB  drained

       9 pending at ws://localhost:7443: taken, but not served until the git data
         arrives
         "purgatory: won't be served until git data arrives"
         → Push the repository to the target; the next run asks again.

       layer      kind          source has  target has  missing
       3 threads  1 note               505         505        ·
       3 threads  1111 comment      15,000      15,000        ·

      equal (0): the target holds all 15,505 events that the sources have, but for 9
      that it took and does not serve yet and 6 that it refused in earlier runs. took
      1.4 s
      "
    `)
    expect(isAllWell(pending)).toBe(false)
  })

  it('prints nothing with --quiet', () => {
    expect(isAllWell(equal)).toBe(true)
    expect(isAllWell(OUTAGE)).toBe(false)
  })
})

describe('what would copy the missing events (no false green #18)', () => {
  const sentences = (check: Partial<CheckReport>): string => render(checked(check)).replaceAll(/\s+/g, ' ')

  it('is catchup --full where a quick run would not look for them', () => {
    expect(sentences({ missing: 2, needsFull: true })).toContain(
      '2 events are missing. `ngit-sync catchup --full` with the same options would copy them. took',
    )
  })

  it('is nothing where the target does not take them', () => {
    expect(sentences({ missing: 2, waiting: 2 })).toContain(
      '2 events are missing. All of them wait on disk: the target did not take them yet. took',
    )
    expect(sentences({ missing: 3, waiting: 1 })).toContain(
      '1 of them waits on disk: the target did not take it yet. `ngit-sync catchup` with the same options would copy the other 2.',
    )
  })
})

describe('a check that could not read everything', () => {
  const unread = { exit: 3, complete: false, sources: PARTIAL.sources }

  it('says what it found as far as it came', () => {
    expect(render({ ...OUTAGE, ...unread })).toContain(
      '\npartial (3): relay.two was not read to its end; at least 28 events are missing.\nRun ngit-sync check again with the same options. took 1.4 s\n',
    )
    expect(render(checked({}, unread))).toContain('end; the target lacks nothing of what')
  })

  it('compared nothing when the target was lost', () => {
    const problems = [{ what: 'target', where: 'ws://localhost:7443', reason: 'gone', count: 1, example: null }]
    const lost = checked({ missing: null }, { exit: 3, complete: false, problems })
    expect(render(lost)).toMatch(
      /partial \(3\): the target stopped answering; nothing could be compared\. Run\sngit-sync\scheck again/,
    )
  })
})

describe('whatever strangers write', () => {
  const FORBIDDEN = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/
  const hostileText = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.constantFrom('\u001b[2J\u202e', 'w'.repeat(900), '漢字'.repeat(300), '🚀'.repeat(80), '', 'a\nb\tc'),
  )
  const hostileAddress = fc.oneof(
    hostileText,
    hostileText.map((d) => `30617:${'ab'.repeat(32)}:${d}`),
    fc.constant(null),
  )
  const count = fc.oneof(fc.nat(3), fc.maxSafeNat(), fc.constant(0))
  const anyDifference: fc.Arbitrary<Difference> = fc.record({
    layer: fc.constantFrom('announcements', 'repositories', 'threads', 'follow-ups'),
    kind: fc.oneof(fc.nat(65_535), fc.constantFrom(1, 1111, 1617, 1618, 1619, 1621, 1630, 30617, 30618)),
    repository: hostileAddress,
    sourceHas: count,
    targetHas: count,
    missing: count,
  })
  const anyDifferences = fc.array(anyDifference, { maxLength: 40 })
  const anyCheck: fc.Arbitrary<CheckReport> = fc.record({
    missing: count,
    waiting: count,
    needsFull: fc.boolean(),
    differences: anyDifferences,
    histogram: fc.array(fc.record({ from: fc.maxSafeNat(), to: fc.maxSafeNat(), missing: count }), { maxLength: 42 }),
    sample: fc.constant(null),
    copies: fc.constant(null),
    ids: fc.option(fc.array(hostileText, { maxLength: 3 })),
    both: fc.option(fc.array(fc.record({ source: hostileText, missing: count, differences: anyDifferences }))),
  })
  const anyWidth = fc.oneof(fc.constantFrom(40, 80, 120), fc.integer({ min: 40, max: 200 }))

  it('stays within the width and free of control characters', () => {
    fc.assert(
      fc.property(anyCheck, anyWidth, fc.constantFrom(0, 3, 5), fc.boolean(), (check, width, exit, verbose) => {
        const text = renderReport(checked(check, { exit }), { color: true, width, verbose, now: NOW, timeZone: 'UTC' })
        expect(text.replaceAll(/\u001b\[[\d;]*m/g, '')).not.toMatch(FORBIDDEN)
        expect(text.split('\n').filter((line) => visibleWidth(line) > width)).toEqual([])
      }),
      { numRuns: 150 },
    )
  })
})
