import { describe, expect, it } from 'vitest'

import type { Filter } from '../../src/nostr/filter.ts'
import { comment, deletion, reaction } from '../support/builders.ts'
import { alice, bob, carol, dave, sincesOf, smallRepository } from '../support/scenes.ts'
import { signEvent } from '../support/sign.ts'
import { createWorkbench, idsOf, nowSeconds } from '../support/workbench.ts'

const OVERLAP = 900
const old = smallRepository()
const liked = reaction(old.comment, bob, { createdAt: old.comment.created_at + 60 })
const label = signEvent(dave, {
  kind: 1985,
  created_at: old.comment.created_at + 120,
  tags: [
    ['L', 'ugc'],
    ['l', 'kind', 'ugc'],
    ['e', old.comment.id],
  ],
  content: '',
})

describe('--follow-ups', () => {
  it('copies what refers to a comment, as a layer of its own; without it nothing asks for that', async () => {
    const bench = createWorkbench()
    const events = [...old.events, liked, label]
    const [source, target] = await Promise.all([bench.scripted({ events }), bench.real()])
    const without = await bench.catchup(source, target)
    expect([without.code, idsOf(target.events())]).toEqual([0, idsOf(old.events)])
    expect(sincesOf(source, '#e', old.comment.id)).toEqual([])

    const { code, report } = await bench.catchup(source, target, '--follow-ups')
    expect([code, idsOf(target.events())]).toEqual([0, idsOf(events)])
    expect(report.layers.map(({ layer, published }) => [layer, published])).toEqual([
      ['announcements', 0],
      ['repositories', 0],
      ['threads', 0],
      ['follow-ups', 2],
    ])
    expect((await bench.catchup(source, target, '--follow-ups', '--full')).report.totals.published).toBe(0)
  })

  it('reads what refers to a comment since its own checkpoint, and to a new comment in full', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.scripted({ events: [...old.events, liked] }), bench.real()])
    const first = await bench.catchup(source, target, '--follow-ups')
    bench.letPass(60)
    const remark = comment(old.issue, alice, { createdAt: nowSeconds() })
    const thanks = reaction(remark, carol, { createdAt: remark.created_at - 86_400 })
    const later = reaction(old.comment, dave, { createdAt: nowSeconds() })
    for (const event of [remark, thanks, later]) source.events.set(event.id, event)
    source.forgetReceived()
    const { code } = await bench.catchup(source, target, '--follow-ups')
    expect([code, idsOf(target.events())]).toEqual([0, idsOf([...old.events, liked, remark, thanks, later])])
    const sincesFor = (id: string) => [...new Set(sincesOf(source, '#e', id))]
    expect(sincesFor(old.comment.id)).toEqual([first.report.startedAt - 60 - OVERLAP])
    expect(sincesFor(remark.id)).toEqual([undefined])
  })

  it('brings the deletion of a comment that the target holds, and the target drops it', async () => {
    const bench = createWorkbench()
    const withdrawn = deletion({ ids: [old.comment.id] }, carol)
    const [source, target] = await Promise.all([bench.scripted({ events: old.events }), bench.real()])
    await bench.catchup(source, target)
    source.events.set(withdrawn.id, withdrawn)
    expect((await bench.catchup(source, target)).report.totals.published).toBe(0)
    const { code } = await bench.catchup(source, target, '--follow-ups')
    const left = old.events.filter((event) => event !== old.comment)
    expect([code, idsOf(target.events())]).toEqual([0, idsOf([...left, withdrawn])])
  })

  it.each([true, false])(
    'brings the deletion of a comment that only the target holds, which speaks NIP-77: %s (no false green #10)',
    async (negentropy) => {
      const bench = createWorkbench()
      const withdrawn = deletion({ ids: [old.comment.id] }, carol)
      const obeyed = old.events.filter((event) => event !== old.comment)
      const source = await bench.scripted({ events: [...obeyed, withdrawn] })
      const target = await bench.scripted({ events: old.events, negentropy })
      const { code } = await bench.catchup(source, target, '--follow-ups')
      expect([code, idsOf(target.events.values())]).toEqual([0, idsOf([...obeyed, withdrawn])])
      target.forgetReceived()
      expect((await bench.catchup(source, target, '--follow-ups', '--full')).code).toBe(0)
      const read = target.received.reqs.flatMap(({ filters }) => filters).filter((filter) => filter['#E'] !== undefined)
      expect(read.length > 0).toBe(!negentropy)
    },
  )

  it.each([true, false])(
    'is partial where the target takes back what it said of what is followed there, by NIP-77: %s (no false green #1)',
    async (negentropy) => {
      const bench = createWorkbench()
      const withdrawn = deletion({ ids: [old.comment.id] }, carol)
      const source = await bench.scripted({ events: [old.announced, old.state, old.issue, withdrawn] })
      const target = await bench.scripted({ events: old.events, negentropy })
      const isFollowed = (filter?: Filter): boolean => filter?.['#E'] !== undefined
      target.behaviour.ignores = isFollowed
      target.behaviour.onReq = ({ filters: [filter], answer }) =>
        isFollowed(filter) ? { ...answer, closedLate: 'error: no', lateDelayMs: 20 } : answer
      target.behaviour.onNegClose = (asked) =>
        target.received.negs.some(({ subId, filter }) => subId === asked && isFollowed(filter))
          ? ['NEG-ERR', asked, 'error: no']
          : undefined
      const { code, report } = await bench.catchup(source, target, '--follow-ups')
      expect(JSON.stringify(report.problems)).toContain('CLOSED after EOSE: error: no')
      expect([code, bench.checkpoints(source)]).toEqual([3, []])
    },
  )

  const build = (kind: number, tags: readonly (readonly string[])[], minutes: number) =>
    signEvent(dave, { kind, created_at: old.comment.created_at + minutes * 60, tags, content: '' })
  const application = build(
    32267,
    [
      ['d', 'org.app'],
      ['a', old.address],
    ],
    1,
  )
  const applicationAddress = `32267:${dave.pubkey}:org.app`
  const release = build(
    30063,
    [
      ['d', 'org.app@1.0'],
      ['a', applicationAddress],
    ],
    2,
  )
  const releaseAddress = `30063:${dave.pubkey}:org.app@1.0`
  const praise = build(
    1111,
    [
      ['A', releaseAddress],
      ['a', releaseAddress],
      ['K', '30063'],
      ['k', '30063'],
    ],
    3,
  )
  const thanks = reaction(praise, bob, { createdAt: praise.created_at + 60 })
  const undone = deletion({ ids: [thanks.id] }, bob, { createdAt: thanks.created_at + 60 })
  const beyond = build(
    1985,
    [
      ['L', 'x'],
      ['l', 'y', 'x'],
      ['e', undone.id],
    ],
    9,
  )
  const chain = [application, release, praise, thanks, undone, beyond]

  it('follows addresses, and follow-ups of follow-ups, four steps and no further; a second run sends nothing', async () => {
    const bench = createWorkbench()
    const events = [...old.events, ...chain]
    const [source, target] = [await bench.scripted({ events }), await bench.scripted()]
    const { code, report } = await bench.catchup(source, target, '--follow-ups')
    const reached = events.filter((event) => event !== beyond && event !== thanks)
    expect([code, idsOf(target.received.events)]).toEqual([0, idsOf(reached)])
    expect(report.followDepth).toBe(4)
    expect(report.notes).toContain('Follow-ups lie up to 4 steps away; at most 4 are followed.')
    for (const args of [[], ['--full']]) {
      const again = await bench.catchup(source, target, '--follow-ups', ...args)
      expect([again.code, again.report.totals.published]).toEqual([0, 0])
    }
  })

  it('keeps how far away an anchor lies: a quick run goes no further, and asks about new ones in full', async () => {
    const bench = createWorkbench()
    const [source, target] = [
      await bench.scripted({ events: [...old.events, application, release] }),
      await bench.real(),
    ]
    await bench.catchup(source, target, '--follow-ups')
    bench.letPass(60)
    for (const event of [praise, undone, beyond]) source.events.set(event.id, { ...event })
    const fresh = build(
      1111,
      [
        ['A', releaseAddress],
        ['a', releaseAddress],
        ['K', '30063'],
      ],
      4,
    )
    const today = signEvent(dave, { ...fresh, created_at: nowSeconds() })
    source.events.set(today.id, today)
    const { code } = await bench.catchup(source, target, '--follow-ups')
    expect(code).toBe(0)
    const held = target.events().map(({ id }) => id)
    expect([held.includes(today.id), held.includes(beyond.id)]).toEqual([true, false])
    expect(sincesOf(source, '#e', today.id)).toEqual([undefined])
  })

  it.each([true, false])('learns what it follows from the target too, by NIP-77: %s', async (negentropy) => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: [old.announced, praise, thanks] })
    const target = await bench.scripted({ events: [...old.events, application, release], negentropy })
    const { code } = await bench.catchup(source, target, '--follow-ups')
    expect([code, idsOf(target.received.events)]).toEqual([0, idsOf([praise, thanks])])
  })

  it('does not believe a checkpoint of a run that followed ids only', async () => {
    const bench = createWorkbench()
    const [source, target] = [
      await bench.scripted({ events: [...old.events, application, release] }),
      await bench.real(),
    ]
    await bench.catchup(source, target)
    bench.database((db) => {
      db.exec(`UPDATE coverage SET version = version + 1000 WHERE layer IN ('repositories', 'threads')`)
    })
    source.forgetReceived()
    await bench.catchup(source, target)
    expect(sincesOf(source, '#a', old.address).every((since) => since !== undefined)).toBe(true)
    const { report } = await bench.catchup(source, target, '--follow-ups')
    expect(report.totals.published).toBe(1)
  })

  it('does not ask about roots: their threads are layer 3', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.scripted({ events: old.events }), bench.real()])
    await bench.catchup(source, target, '--follow-ups')
    const anchors = bench.checkpoints(source).filter(({ layer }) => layer === 'follow-ups')
    expect(anchors.map(({ anchor }) => anchor).sort()).toEqual(
      [old.comment.id, old.state.id, `30618:${alice.pubkey}:hello`].sort(),
    )
  })
})
