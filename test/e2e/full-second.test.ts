import { describe, expect, it } from 'vitest'

import type { NostrEvent } from '../../src/nostr/event.ts'
import { announcement, comment, deletion, issue, SOME_TIME } from '../support/builders.ts'
import { alice, bob, carol, dave, smallRepository } from '../support/scenes.ts'
import { keyOf } from '../support/sign.ts'
import { createWorkbench, endArguments, idsOf } from '../support/workbench.ts'

const CAP = 5
const SECOND = SOME_TIME + 10_000
const strangers = Array.from({ length: 12 }, (_, index) => keyOf(`stranger ${index}`))
const repositories = ['one', 'two', 'three'].map((d, index) => smallRepository({ d, startAt: SOME_TIME + index * 600 }))
const honest = repositories.flatMap(({ events }) => events)
const [first, second] = repositories

function addressOf(index: number): string {
  return repositories[index]?.address ?? ''
}

describe('a full second at the target', () => {
  it('with nothing else there is read like any other, at both ends (no false green #37)', async () => {
    const bench = createWorkbench()
    const events = ['a', 'b'].map((d) => announcement(alice, d))
    const [source, target] = await Promise.all([bench.scripted({ events }), bench.scripted({ events })])
    for (const args of [[], [], ['--full']]) {
      const { code, report } = await bench.catchup(source, target, '--scope', 'all', ...args)
      expect([code, report.problems]).toEqual([0, []])
    }
  })

  it('of roots that anybody wrote is a gap of that repository: all else is sent, and exit is 3 (no false green #37)', async () => {
    const bench = createWorkbench()
    const flood = strangers.map((author) => issue(addressOf(0), author, { createdAt: SECOND }))
    const announced = repositories.map((repository) => repository.announced)
    const source = await bench.scripted({ events: honest })
    const target = await bench.scripted({ events: [...announced, ...flood], pageCap: CAP })
    const { code, report } = await bench.catchup(source, target, '--scope', 'all')
    expect(idsOf(target.events.values())).toEqual(idsOf([...honest, ...flood]))
    expect(code).toBe(3)
    expect(report.problems.map(({ what, where, reason }) => [what, where, reason])).toEqual([
      [
        'gap',
        target.url,
        expect.stringContaining(`second ${SECOND} than a page holds (${CAP}), of #a ${addressOf(0)}`),
      ],
    ])
    expect(bench.checkpoints(source).map(({ anchor }) => anchor)).toContain(addressOf(0))
    const told = await bench.run(['catchup', ...endArguments(source, target), '--scope', 'all', '--quiet'])
    expect(told.stdout).toContain('partial (3): the target may hold more than its pages show; ')
  })

  it('of roots is read by NIP-77, and then the run is complete (no false green #37)', async () => {
    const bench = createWorkbench()
    const flood = strangers.map((author) => issue(addressOf(0), author, { createdAt: SECOND }))
    const source = await bench.scripted({ events: honest })
    const target = await bench.scripted({ events: flood, pageCap: CAP, negentropy: true })
    const { code, report } = await bench.catchup(source, target, '--scope', 'all')
    expect([code, report.problems]).toEqual([0, []])
    expect(idsOf(target.events.values())).toEqual(idsOf([...honest, ...flood]))
  })

  it('of announcements loses no witness: what is known is asked for by address (no false green #37)', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: honest })
    const target = await bench.scripted({ pageCap: CAP })
    await bench.catchup(source, target, '--scope', 'all')
    const hidden = strangers.map((author) =>
      announcement(author, 'spam', { createdAt: first?.announced.created_at ?? 0 }),
    )
    for (const event of hidden) target.events.set(event.id, event)
    const { code, report } = await bench.catchup(source, target, '--scope', 'all')
    expect([code, report.notes.filter((note) => note.includes('restored'))]).toEqual([3, []])
    expect(report.sources[0]?.layers.map(({ mode }) => mode)).toEqual(['since', 'since', 'since'])
  })
})

describe('a full second of deletions', () => {
  const naming = (ids: readonly string[], author = dave): NostrEvent[] =>
    Array.from({ length: 12 }, (_, index) => deletion({ ids }, author, { createdAt: SECOND, content: `${index}` }))

  it('by a stranger hides nothing, though he writes something of his own (no false green #37)', async () => {
    const bench = createWorkbench()
    const own = comment(first?.issue as NostrEvent, dave, { createdAt: SOME_TIME + 900 })
    const ids = idsOf([...honest, own].filter(({ kind }) => kind !== 30617 && kind !== 30618))
    const flood = naming(ids.filter((id) => id !== own.id))
    const source = await bench.scripted({ events: [...honest, own] })
    const target = await bench.scripted({ events: flood, pageCap: CAP })
    const { code, report } = await bench.catchup(source, target, '--scope', 'all')
    expect([code, report.problems]).toEqual([0, []])
    expect(idsOf(target.events.values())).toEqual(idsOf([...honest, own, ...flood]))
  })

  it('by the author takes what he names, and nothing else (no false green #37)', async () => {
    const bench = createWorkbench()
    const remark = first?.comment as NostrEvent
    const source = await bench.scripted({ events: honest })
    const target = await bench.scripted({ events: naming([remark.id], carol), pageCap: CAP })
    const { code } = await bench.catchup(source, target, '--scope', 'all')
    expect(code).toBe(0)
    const left = honest.filter((event) => event !== remark)
    expect(idsOf([...target.events.values()].filter(({ kind }) => kind !== 5))).toEqual(idsOf(left))
  })
})

it('a target that had shown one event only, and then serves another, is no lost target (no false green #37)', async () => {
  const bench = createWorkbench()
  const source = await bench.scripted({ events: honest })
  const target = await bench.scripted({ events: [second?.announced as NostrEvent] })
  const { code, report } = await bench.catchup(source, target, '--scope', 'all')
  expect([code, report.problems]).toEqual([0, []])
  expect(idsOf(target.events.values())).toEqual(idsOf(honest))
})

describe('a full second at a source', () => {
  it('takes the checkpoint of its own anchor only, and names it and what ends it (no false green #36)', async () => {
    const bench = createWorkbench()
    const flood = Array.from({ length: 12 }, (_, index) =>
      issue(addressOf(1), bob, { createdAt: SECOND, content: `${index}` }),
    )
    const source = await bench.scripted({ events: [...honest, ...flood], pageCap: CAP })
    const { code, report } = await bench.catchup(source, await bench.scripted(), '--scope', 'all')
    expect(code).toBe(3)
    const covered = bench.checkpoints(source).map(({ anchor }) => anchor)
    expect([0, 1, 2].map((index) => covered.includes(addressOf(index)))).toEqual([true, false, true])
    const reason = report.problems.find(({ what }) => what === 'source')?.reason
    expect(reason).toContain(
      `second ${SECOND} than a page holds (${CAP}), of #a ${addressOf(1)}: NIP-77 there or larger`,
    )
  })

  it('takes none when the relay speaks NIP-77 (no false green #36)', async () => {
    const bench = createWorkbench()
    const flood = Array.from({ length: 12 }, (_, index) =>
      issue(addressOf(1), bob, { createdAt: SECOND, content: `${index}` }),
    )
    const source = await bench.scripted({ events: [...honest, ...flood], pageCap: CAP, negentropy: true })
    const target = await bench.scripted()
    expect((await bench.catchup(source, target, '--scope', 'all')).code).toBe(0)
    expect(idsOf(target.events.values())).toEqual(idsOf([...honest, ...flood]))
  })
})
