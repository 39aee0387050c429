import { describe, expect, it } from 'vitest'

import type { NostrEvent } from '../../src/nostr/event.ts'
import { comment, SOME_TIME } from '../support/builders.ts'
import { bob, carol, smallRepository } from '../support/scenes.ts'
import { idsOf } from '../support/workbench.ts'
import { FOREIGN_RELAYS } from './support/foreign-relays.ts'
import { createInteropBench } from './support/interop-bench.ts'
import { plainRelays } from './support/installation.ts'

const PAGE_CAP = 5
const capped = plainRelays().filter((name) => FOREIGN_RELAYS[name].hasPageCap)

/** A repository whose issue has so many comments, so many of them in each second. */
function busyThread(comments: number, perSecond: number): NostrEvent[] {
  const { events, issue } = smallRepository()
  const remarks = Array.from({ length: comments }, (_, index) =>
    comment(issue, index % 2 === 0 ? bob : carol, {
      createdAt: SOME_TIME + 1_000 + Math.floor(index / perSecond),
      content: `remark ${index}`,
    }),
  )
  return [...events, ...remarks]
}

describe.each(capped)(`%s with ${PAGE_CAP} rows a page, read in pages`, (name) => {
  it('is read to its end although pages cut seconds in two', async () => {
    const bench = createInteropBench()
    const events = busyThread(40, 3)
    const [source, target] = await Promise.all([bench.foreign(name, { pageCap: PAGE_CAP, events }), bench.real()])
    const { code, report } = await bench.catchup(source, target, '--scope', 'all', '--no-reconcile')
    expect(idsOf(target.events())).toEqual(idsOf(events))
    expect([code, report.complete, report.problems]).toEqual([0, true, []])
  })

  it('is not called complete when a second holds more than a page', async () => {
    const bench = createInteropBench()
    const events = busyThread(20, 10)
    const [source, target] = await Promise.all([bench.foreign(name, { pageCap: PAGE_CAP, events }), bench.real()])
    const { code, report } = await bench.catchup(source, target, '--scope', 'all', '--no-reconcile')
    expect([code, report.complete]).toEqual([3, false])
    expect(report.problems.map(({ reason }) => reason).join()).toMatch(/more events in second \d+ than a page holds/)
  })
})
