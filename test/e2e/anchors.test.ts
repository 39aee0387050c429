import { describe, expect, it } from 'vitest'

import { announcement, comment, issue, repositoryAddress, state } from '../support/builders.ts'
import { generateHistory } from '../support/generate.ts'
import { alice, bob, carol, readingFilters, sincesOf, smallRepository } from '../support/scenes.ts'
import { keyOf, signEvent } from '../support/sign.ts'
import { createWorkbench, idsOf, nowSeconds } from '../support/workbench.ts'

const START = 1_700_000_000
const mine = smallRepository({ startAt: START })
const [announced, pushed, bug, remark] = [mine.announced, mine.state, mine.issue, mine.comment]

describe('anchors', () => {
  it('come from the target: a source is asked about repositories and issues that only the target has', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([
      bench.real({ events: [pushed, remark] }),
      bench.real({ events: [announced, bug] }),
    ])
    const { code } = await bench.catchup(source, target)
    expect(idsOf(target.events())).toEqual(idsOf(mine.events))
    expect(code).toBe(0)
  })

  it('come from the target in a quick run too, and are then read in full', async () => {
    const bench = createWorkbench()
    const other = smallRepository({ owner: carol, d: 'other', startAt: START + 9_000 })
    const source = await bench.scripted({ events: [...mine.events, ...other.events.slice(1)] })
    const target = await bench.real()
    await bench.catchup(source, target)
    expect(idsOf(target.events())).toEqual(idsOf(mine.events))
    await target.seed([other.announced])
    source.forgetReceived()
    await bench.catchup(source, target)
    expect(idsOf(target.events())).toEqual(idsOf([...mine.events, ...other.events]))
    expect(new Set(sincesOf(source, '#a', other.address))).toEqual(new Set([undefined]))
  })

  it('are found behind each other: an issue leads to a patch, the patch to a reply, over two sources', async () => {
    const bench = createWorkbench()
    const base = { content: '', created_at: START + 700 }
    const patch = signEvent(carol, { ...base, kind: 1617, tags: [['e', bug.id, '', 'root']] })
    const next = signEvent(bob, { ...base, kind: 1617, tags: [['e', patch.id, '', 'root']] })
    const last = comment(next, alice, { createdAt: START + 800 })
    const [first, second, target] = await Promise.all([
      bench.real({ events: [announced, pushed, patch, last] }),
      bench.real({ events: [bug, remark, next] }),
      bench.real(),
    ])
    const { code } = await bench.catchup([first, second], target)
    expect(idsOf(target.events())).toEqual(idsOf([...mine.events, patch, next, last]))
    expect(code).toBe(0)
  })

  it('are remembered when every relay has forgotten the announcement', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.scripted({ events: mine.events }), bench.scripted()])
    await bench.catchup(source, target)
    for (const relay of [source, target]) for (const { id } of [announced, bug]) relay.events.delete(id)
    const late = comment(bug, bob, { createdAt: nowSeconds() })
    source.events.set(late.id, late)
    await bench.catchup(source, target, '--full')
    expect(target.events.has(late.id)).toBe(true)
  })

  it('are read in full at one source and since at the other, each by its own past', async () => {
    const bench = createWorkbench()
    const [first, second, target] = await Promise.all([
      bench.scripted({ events: mine.events }),
      bench.scripted({ events: [announced] }),
      bench.real(),
    ])
    await bench.catchup(first, target)
    first.forgetReceived()
    const old = comment(bug, bob, { createdAt: START + 900 })
    second.events.set(old.id, old)
    const { report } = await bench.catchup([first, second], target)
    expect(report.sources.map(({ layers }) => layers.map(({ mode }) => mode))).toEqual([
      ['since', 'since', 'since'],
      ['full', 'full', 'full'],
    ])
    expect(idsOf(target.events())).toContain(old.id)
  })

  it('go out a hundred to a filter', async () => {
    const bench = createWorkbench()
    const events = [
      ...generateHistory({ repositories: 120, rootsPerRepository: 1, commentsPerRoot: 1, statuses: false }),
    ]
    const source = await bench.scripted({ events })
    const target = await bench.real()
    const { code } = await bench.catchup(source, target)
    expect(idsOf(target.events())).toEqual(idsOf(events))
    const sizes = readingFilters(source).flatMap((filter) => [filter['#a']?.length ?? 0, filter['#e']?.length ?? 0])
    expect(Math.max(...sizes)).toBe(100)
    expect(code).toBe(0)
  })
})

describe('odd events', () => {
  it.each([
    ['no identifier', ''],
    ['colons and spaces', 'a: b:c '],
    ['characters beyond ASCII', 'dépôt-✓-🦀'],
    ['line breaks and quotes', 'a\n"b"\\'],
    ['200 characters', 'x'.repeat(200)],
  ])('of a repository with %s in its identifier are copied', async (_what, d) => {
    const bench = createWorkbench()
    const { events } = smallRepository({ d, startAt: START })
    const source = await bench.scripted({ events })
    const target = await bench.scripted()
    const { code } = await bench.catchup(source, target)
    expect(idsOf(target.events.values())).toEqual(idsOf(events))
    expect(code).toBe(0)
  })

  it('of the first second of 1970 and of the end of time are copied', async () => {
    const bench = createWorkbench()
    const times = [0, 1, Number.MAX_SAFE_INTEGER]
    const odd = times.map((createdAt) => comment(bug, bob, { createdAt }))
    const source = await bench.scripted({ events: [...mine.events, ...odd] })
    const target = await bench.scripted()
    const { code } = await bench.catchup(source, target)
    expect(idsOf(target.events.values())).toEqual(idsOf([...mine.events, ...odd]))
    expect(code).toBe(0)
  })

  it('of a repository whose announcement has no d tag at all are copied', async () => {
    const bench = createWorkbench()
    const bare = signEvent(alice, { kind: 30617, created_at: START, tags: [['name', 'bare']], content: '' })
    const about = issue(repositoryAddress(alice, ''), bob, { createdAt: START + 60 })
    const source = await bench.scripted({ events: [bare, about] })
    const target = await bench.scripted()
    await bench.catchup(source, target)
    expect(idsOf(target.events.values())).toEqual(idsOf([bare, about]))
  })

  it('of maintainers who name each other in a circle end', async () => {
    const bench = createWorkbench()
    const people = ['one', 'two', 'three'].map((name) => keyOf(name))
    const circle = people.map((key, index) =>
      announcement(key, 'hello', { createdAt: START + index, maintainers: people.filter((other) => other !== key) }),
    )
    const states = people.map((key, index) => state(key, 'hello', { createdAt: START + 60 + index }))
    const source = await bench.scripted({ events: [...circle, ...states] })
    const target = await bench.scripted()
    const { code, report } = await bench.catchup(
      source,
      target,
      '--repo',
      repositoryAddress(people[0] ?? alice, 'hello'),
    )
    expect(idsOf(target.events.values())).toEqual(idsOf([...circle, ...states]))
    expect([code, report.scope.repositories]).toEqual([0, 3])
  })
})
