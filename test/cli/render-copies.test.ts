import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { renderReport } from '../../src/cli/render/render-table.ts'
import { visibleWidth } from '../../src/cli/render/text-width.ts'
import type { CopiesReport } from '../../src/report/copies-report.ts'
import type { GitReport } from '../../src/report/git-report.ts'
import type { CheckReport, Report } from '../../src/report/report.ts'
import { CHECKED, COPIES, NOW, report } from './reports.ts'

/** A check that found nothing missing, and counted. */
function counted(copies: CopiesReport, extra: Partial<Report> = {}): Report {
  const check = CHECKED.check
  if (check === null) throw new Error('nothing was checked')
  const nothing = { missing: 0, differences: [], histogram: [], sample: null, ids: null, both: null }
  return report({ command: 'check', exit: 5, check: { ...check, ...nothing, copies }, ...extra })
}

function render(document: Report, { width = 80, verbose = false } = {}): string {
  return renderReport(document, { color: false, width, now: NOW, timeZone: 'UTC', verbose })
}

const GIT: GitReport = {
  ...{ repositories: 14, stopped: null, inSync: 11, differing: 3, unasked: 0, verdicts: {}, cloned: null, repairs: {} },
  ...{ copies: null, lost: 1, requests: 9, bytes: 99, milliseconds: 9, leftOut: 0 },
  list: [
    {
      ...{ repository: `30617:${'ab'.repeat(32)}:a`, name: null, places: [], hasAll: [], state: null, repair: null },
      remedy: { type: 'repair' },
    },
  ],
}

const READ = { ...COPIES, ends: COPIES.ends.slice(0, 3), undecided: 0, list: null }

describe('the copies of a report', () => {
  it('says how the events spread, and which repositories have too few', () => {
    const text = render(counted(COPIES, { exit: 3 }), { width: 120 })
    expect(text).toContain(
      ' copies of 4,812 events seen: 1,000 at all 4 ends · 3,769 at 3 ends · 3 at 2 ends · 40 at 1 end\n',
    )
    expect(text).toMatch(/ repository +name +events +fewest +fewer than 3 +perhaps fewer +not at\n/)
    expect(text).toMatch(/\/ngit +ngit +120 +1 +40 +3 +relay\.two 43, localhost:7443 3\n/)
  })

  it('names an end that was not read, and what is not known', () => {
    const text = render(counted(COPIES, { exit: 3 })).replaceAll(/\s+/g, ' ')
    expect(text).toContain('relay.three was not read to its end, and may have more than the 1,000 events')
    expect(text).toContain('40 of 4,812 events have fewer than 3 copies, and 3 more may have: not every end was read.')
  })

  it('gives the command for the relay that lacks most, on one line, with the scope of this run', () => {
    const lines = render(counted(READ)).split('\n')
    expect(lines).toContain(
      '   ngit-sync catchup --full --source ws://localhost:7443 --source wss://relay.one --target wss://relay.two --scope listed --service wss://git.example.org',
    )
    expect(lines.filter((line) => line.includes('ngit-sync catchup'))).toHaveLength(2)
  })

  it('is one sentence of the verdict when there are enough', () => {
    const well = { ...READ, below: 0, repositories: [], histogram: [{ copies: 3, events: 4_812 }] }
    const ends = well.ends.map((end) => ({ ...end, lacks: 0 }))
    const text = render(counted({ ...well, ends }, { exit: 0, complete: true, problems: [] }))
    expect(text.replaceAll(/\s+/g, ' ')).toContain('each of 4,812 events is at 3 of 3 ends.')
    expect(text).not.toContain('not at')
  })

  const servers = { wanted: 3, repositories: 14, histogram: [], list: [], leftOut: 0 }
  const scarceServers = { ...servers, below: 2, undecided: 1 }

  it.each<[what: string, Partial<CheckReport>, Partial<Report>, verdict: string]>([
    [
      'only scarce',
      {},
      {},
      'differences (5): the target lacks nothing. 40 of 4,812 events have fewer than 3 copies. The commands in this ' +
        'report would bring scarce events to where they are lacking. took',
    ],
    [
      'missing and scarce',
      { missing: 28, waiting: 3 },
      {},
      'differences (5): 28 events are missing. 3 of them wait on disk: the target did not take them yet. 40 of 4,812 ' +
        'events have fewer than 3 copies. `ngit-sync catchup` with the same options except --copies would copy the 25 ' +
        'other missing ones. The commands in this report would bring scarce events to where they are lacking. took',
    ],
    [
      'missing, scarce and lacking elsewhere, with more options that only check has',
      { missing: 1, both: [{ source: 'wss://relay.one', missing: 3, differences: [] }], ids: [] },
      {},
      'differences (5): 1 event is missing. relay.one lacks 3 events. 40 of 4,812 events have fewer than 3 copies. ' +
        '`ngit-sync catchup` with the same options except --copies, --both and --ids would copy the missing one. The',
    ],
    [
      'scarce, and an end unread',
      { missing: 28, copies: COPIES },
      { exit: 3 },
      'at least 28 events are missing. 40 of 4,812 events have fewer than 3 copies, and 3 more may have: not every end ' +
        'was read. Run ngit-sync check again with the same options. took',
    ],
    [
      'scarce events and git data, some not as signed',
      { missing: 2 },
      { git: { ...GIT, copies: scarceServers } },
      "differences (5): 2 events are missing. The target's git data of 3 of 14 repositories differs, and no server has " +
        'what 1 of them needs. 40 of 4,812 events have fewer than 3 copies. The git data of 2 of 14 repositories is at ' +
        'fewer than 3 servers, and that of 1 more may be: not every server answered. `ngit-sync repair --git` with the ' +
        'same options except --copies would copy the 2 missing ones and repair git data. The commands in this report ' +
        'would bring scarce events to where they are lacking. For git data at too few servers, push a clone to another ' +
        'one that the announcement names, or have one more named. `ngit-sync repair --git` does that for a GRASP relay ' +
        'as --target, or says what its operator has to do. took',
    ],
    [
      'git data that may be scarce',
      { copies: null },
      { exit: 3, git: { ...GIT, differing: 0, lost: 0, list: [], copies: { ...scarceServers, below: 0 } } },
      'not everything could be read; the target lacks nothing of what could be read. Its git data of 14 repositories is ' +
        'as signed. The git data of 1 of 14 repositories may be at fewer than 3 servers: not every server answered. Run ' +
        'ngit-sync check again with the same options. took',
    ],
    [
      'scarce in shards',
      { missing: 2 },
      { merged: { of: 1, missing: [], failures: [], shards: [{ number: 1, exit: 5, startedAt: NOW }] } },
      '1 of 1 shards: 2 events are missing. 40 of 4,812 events have fewer than 3 copies. `ngit-sync catchup` for each ' +
        'shard with the same options except --copies would copy the 2 missing ones. The commands in this report',
    ],
  ])('says first what was found, then what to do: %s', (_, changes, extra, verdict) => {
    const found = counted(READ, extra)
    const text = render({ ...found, check: found.check && { ...found.check, ...changes } }, { width: 9_999 })
    expect(text.split('\n').at(-2)).toContain(verdict)
  })

  it('says of git data, too, that there are enough', () => {
    const well = { ...READ, below: 0, repositories: [], ends: READ.ends.map((end) => ({ ...end, lacks: 0 })) }
    const git = { ...GIT, differing: 0, lost: 0, list: [], copies: { ...servers, below: 0, undecided: 0 } }
    const text = render(counted(well, { exit: 0, complete: true, git, problems: [] }), { width: 9_999 })
    expect(text).toContain(
      'Its git data of 14 repositories is as signed. The git data of each of 14 repositories is at 3 servers or more.',
    )
  })

  it('shows ten repositories, all with --verbose, and ids with --ids', () => {
    const repositories = Array.from({ length: 12 }, () => READ.repositories[0]).flatMap((row) => row ?? [])
    const many = counted({ ...READ, repositories, list: COPIES.list })
    expect(render(many)).toContain('and 2 more: --verbose and --json show them')
    expect(render(many, { verbose: true })).not.toContain('more: --verbose')
    expect(render(many)).toContain(`${'cd'.repeat(32)} at`)
    const onDisk = { ids: new Set(['ab'.repeat(32)]), copies: { ...READ, repositories, list: new Set(COPIES.list) } }
    const inMemory = { ids: [...onDisk.ids], copies: { ...onDisk.copies, list: COPIES.list } }
    const [listed, whole] = [onDisk, inMemory].map((lists) =>
      render({ ...many, check: many.check && { ...many.check, ...lists } }),
    )
    expect([listed, listed?.includes('ab'.repeat(32))]).toEqual([whole, true])
  })

  it('stays within the width and free of control characters, but for commands', () => {
    const hostile = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 80 }),
      fc.constantFrom('\u001b[2J\u202e', '漢'.repeat(300)),
    )
    fc.assert(
      fc.property(hostile, hostile, fc.integer({ min: 40, max: 160 }), (one, two, width) => {
        const ends = COPIES.ends.map((end) => ({ ...end, url: `wss://${one}/${end.url}`, reason: two }))
        const repositories = COPIES.repositories.map((row) => {
          return { ...row, repository: two, name: one, lacking: [{ url: two, events: 4 }], example: one }
        })
        const list = [{ id: one, repository: two, at: [two] }]
        const text = render(counted({ ...COPIES, ends, repositories, list, service: one }), { width })
        expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e]/)
        const wide = text.split('\n').filter((line) => visibleWidth(line) > width)
        expect(wide.filter((line) => !line.startsWith('   ngit-sync catchup'))).toEqual([])
      }),
      { numRuns: Number(process.env['COPIES_RUNS'] ?? 100) },
    )
  })
})
