import { describe, expect, it } from 'vitest'

import { NOTHING_COMPARED } from '../../src/check/find-missing.ts'
import { renderReport } from '../../src/cli/render/render-table.ts'
import { visibleWidth } from '../../src/cli/render/text-width.ts'
import type { GitPlaceReport, GitReport, GitRepositoryReport } from '../../src/report/git-report.ts'
import { NOW, report } from './reports.ts'

const PUBKEY = '0'.repeat(63) + '1'

function place(changes: Partial<GitPlaceReport> = {}): GitPlaceReport {
  const refs = { behind: [], missing: [], extra: [], counts: { behind: 0, missing: 0, extra: 0 } }
  return {
    url: 'http://t/x.git',
    isTarget: true,
    verdict: 'in sync',
    ...refs,
    head: null,
    reason: null,
    clone: null,
    ...changes,
  }
}

function row(d: string, own: Partial<GitPlaceReport>, changes: Partial<GitRepositoryReport> = {}): GitRepositoryReport {
  return {
    repository: `30617:${PUBKEY}:${d}`,
    name: d,
    state: null,
    places: [place(own)],
    hasAll: [],
    remedy: { type: 'nothing' },
    repair: null,
    ...changes,
  }
}

function git(...list: readonly GitRepositoryReport[]): GitReport {
  const counts = {
    repositories: list.length + 5,
    inSync: 5,
    differing: list.length,
    unasked: 0,
    lost: 0,
    stopped: null,
  }
  const costs = { copies: null, requests: 20, bytes: 4_000, milliseconds: 900 }
  return { ...counts, verdicts: { 'in sync': 5 }, repairs: {}, cloned: null, ...costs, list, leftOut: 0 }
}

function render(found: GitReport, { width = 80, verbose = false } = {}): string {
  const check = { ...NOTHING_COMPARED, missing: 0 }
  const exit = found.differing > 0 ? 5 : 0
  const options = { color: false, width, now: NOW, timeZone: 'UTC', verbose }
  return renderReport(report({ command: 'check', exit, check, git: found }), options)
}

describe('the report of git data', () => {
  it('is one line and a sentence when all is well', () => {
    expect(render(git())).toBe(
      ' git data of 5 repositories is as signed (20 requests, 4 kB, 900 ms)\n\n' +
        'equal (0): there is nothing to compare. Its git data of 5 repositories is as\n' +
        'signed. took 1.4 s\n',
    )
  })

  it('says what is wrong, who has the data and what to do', () => {
    const behind = {
      verdict: 'behind',
      behind: ['refs/heads/main'],
      counts: { behind: 1, missing: 0, extra: 0 },
    } as const
    const text = render(
      git(
        row('a', { verdict: 'empty' }, { remedy: { type: 'lost', ids: ['3f2a91c0'.repeat(5)] } }),
        row('b', behind, { remedy: { type: 'repair' }, hasAll: ['https://github.com/b.git', 'http://t/x.git'] }),
        row('c', { verdict: 'unreachable', reason: 'HTTP 502' }, { remedy: { type: 'unknown' } }),
      ),
      { width: 120 },
    )
    expect(text).toMatch(/\/a +empty +nowhere whole +lost: no server has 3f2a91c0…/)
    expect(text).toMatch(/\/b +behind: main +github\.com +ngit-sync repair --git/)
    expect(text).toMatch(/\/c +unreachable: HTTP 502 +· +is its git server up\?/)
    expect(text).toContain('Its git data of 3 of 8 repositories differs.')
  })

  it('says what was not looked at because the run was stopped', () => {
    const unlooked = { verdict: 'not asked', reason: 'the run was stopped' } as const
    const again = { remedy: { type: 'run again' } } as const
    const released = { outcome: 'released', reason: null, missing: [] } as const
    const list = [row('a', unlooked, again), row('b', unlooked, { ...again, repair: released })]
    const some = { ...git(...list), differing: 0, unasked: 2, stopped: { reason: 'interrupted', repositories: 2 } }
    const text = render(some, { width: 120 })
    expect(text).toMatch(/\/a +not asked: the run was stopped +· +run it again/)
    expect(text).toMatch(/\/b +not asked: the run was stopped +· +released before that; run it again/)
    expect(text).toContain(
      'of 5 of 7 repositories is as signed, 2 not looked at, because the run was stopped: interrupted',
    )
    expect(text).not.toContain('Is its git server up?')
  })

  it('never calls a stopped run as signed, even if it knew no repository', () => {
    const none = {
      ...git(),
      repositories: 0,
      inSync: 0,
      verdicts: {},
      stopped: { reason: 'interrupted', repositories: 0 },
    }
    expect(render(none)).toContain(' git data was not looked at, because the run was stopped: interrupted')
    expect(render(none)).not.toContain('as signed')
  })

  it('says that no other server has it where the target has a clone that fails', () => {
    const clone = { isSound: false, reason: 'missing blob' }
    const ids = ['a', 'b', 'c'].map((digit) => digit.repeat(40))
    const text = render(git(row('a', { verdict: 'in sync', clone }, { remedy: { type: 'lost', ids } })), { width: 160 })
    expect(text).toContain('lost: no other server has aaaaaaaa…, bbbbbbbb… and more')
  })

  it.each([40, 60, 80, 120, 200])('fits into %d columns, but for commands', (width) => {
    const missing = Array.from({ length: 10 }, (_, n) => `refs/heads/${'long-name-'.repeat(9)}${n}`)
    const rows = Array.from({ length: 12 }, (_, n) =>
      row(
        `repository-${'x'.repeat(n * 9)}`,
        { verdict: 'missing', missing, counts: { behind: 0, missing: 99, extra: 0 } },
        {
          remedy: { type: 'operator', command: `git -C /data/${'y'.repeat(300)} fetch` },
        },
      ),
    )
    const lines = render(git(...rows), { width }).split('\n')
    const wide = lines.filter((line) => visibleWidth(line) > width)
    expect(wide.every((line) => line.startsWith(' $ git -C /data/'))).toBe(true)
    expect(wide.length).toBe(3)
  })

  it('escapes what strangers write', () => {
    const hostile = '\u001b[2J\u202e\n$ rm -rf /'
    const text = render(
      git(
        row(hostile, { verdict: 'unreachable', reason: hostile, url: hostile }, { name: hostile, hasAll: [hostile] }),
        row('x', { verdict: 'missing', missing: [hostile], counts: { behind: 0, missing: 1, extra: 0 } }),
        row('y', {}, { remedy: { type: 'operator', command: hostile } }),
      ),
      { width: 200, verbose: true },
    )
    expect(text).not.toMatch(/[\u001b\u202e]/)
    expect(text.split('\n').some((line) => line.startsWith('$ rm'))).toBe(false)
  })
})
