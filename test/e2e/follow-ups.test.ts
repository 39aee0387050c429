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

  it('does not ask about roots: their threads are layer 3', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.scripted({ events: old.events }), bench.real()])
    await bench.catchup(source, target, '--follow-ups')
    const anchors = bench.checkpoints(source).filter(({ layer }) => layer === 'follow-ups')
    expect(anchors.map(({ anchor }) => anchor).sort()).toEqual(idsOf([old.comment, old.state]))
  })
})
