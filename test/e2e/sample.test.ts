import { describe, expect, it } from 'vitest'

import type { Report } from '../../src/report/report.ts'
import { isSampled } from '../../src/check/sample-target.ts'
import { alice, smallRepository } from '../support/scenes.ts'
import { forge } from '../support/sign.ts'
import { createWorkbench, endArguments, type End, type Workbench } from '../support/workbench.ts'

const mine = smallRepository()

async function check(bench: Workbench, source: End, target: End, ...args: readonly string[]) {
  const { code, stdout } = await bench.run(['check', ...endArguments(source, target), '--json', ...args])
  return { code, report: JSON.parse(stdout) as Report }
}

describe('check --sample', () => {
  it('reads back the events of the part and verifies them: nothing is wrong, exit 0', async () => {
    const bench = createWorkbench()
    const [source, target] = [await bench.real({ events: mine.events }), await bench.real({ events: mine.events })]
    const { code, report } = await check(bench, source, target, '--sample', '1/1')
    expect([code, report.check?.sample]).toEqual([0, { number: 1, of: 1, repositories: 1, events: 5, damaged: 0 }])
  })

  it.each([
    ['an issue with another content', [mine.announced, mine.state, forge(mine.issue), mine.comment], 'wrong id'],
    [
      'a comment with the signature of another event',
      [mine.announced, mine.state, mine.issue, { ...mine.comment, sig: mine.issue.sig }],
      'wrong signature',
    ],
  ])('names a target that serves %s, exit 5', async (_, served, reason) => {
    const bench = createWorkbench()
    const source = await bench.real({ events: mine.events })
    const target = await bench.scripted({ events: served })
    const { code, report } = await check(bench, source, target, '--sample', '1/1')
    expect([code, report.exit, report.complete]).toEqual([5, 5, false])
    expect(report.problems).toContainEqual(expect.objectContaining({ what: 'damaged', where: target.url, reason }))
    const table = await bench.spawn(['check', ...endArguments(source, target), '--sample', '1/1'])
    expect(table.code).toBe(5)
    expect(table.stdout).toMatch(/differences \(5\): .*It\s+serves\s+\w+\s+damaged\s+events?\./s)
  })

  it('reads only the part: the other repositories are not verified', async () => {
    const bench = createWorkbench()
    const names = ['a', 'b', 'c', 'd', 'e', 'f'].map((d) => smallRepository({ d, owner: alice }))
    const events = names.flatMap((repository) => repository.events)
    const [source, target] = [await bench.real({ events }), await bench.real({ events })]
    const parts = await Promise.all(
      [1, 2].map(
        async (number) => (await check(bench, source, target, '--sample', `${number}/2`)).report.check?.sample,
      ),
    )
    expect(parts.map((part) => part?.repositories)).toEqual(
      [1, 2].map((number) => names.filter(({ address }) => isSampled(address, { number, of: 2 })).length),
    )
    expect(parts.reduce((sum, part) => sum + (part?.repositories ?? 0), 0)).toBe(6)
  })

  it.each(['0/3', '4/3', '1', '1/0', 'x'])('refuses %j', async (part) => {
    const bench = createWorkbench()
    const { code, stderr } = await bench.run(['check', '--source', 'a.jsonl', '--target', 'b.jsonl', '--sample', part])
    expect([code, stderr]).toEqual([2, expect.stringContaining('is no part: give for example 1/7')])
  })
})
