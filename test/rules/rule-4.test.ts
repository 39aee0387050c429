import { describe, expect, it } from 'vitest'

import { loadNativeCheck } from '../../src/nostr/native-signature.ts'
import { createCapacity } from '../../src/relay/paging/capacity.ts'
import { drain } from '../../src/relay/paging/drain.ts'
import { announcement, comment, deletion, issue, vanishRequest } from '../support/builders.ts'
import { pageOf } from '../support/memory-endpoint.ts'
import { alice, bob, smallRepository } from '../support/scenes.ts'
import type { ScriptedRelayOptions } from '../support/scripted-relay.ts'
import { forge } from '../support/sign.ts'
import { createWorkbench, idsOf } from '../support/workbench.ts'

/*
 * Rule 4. An id counts as seen only after its signature verified: a forged copy from one source must not hide the true
 * event of another.
 */

const scene = smallRepository()
const FORGERIES = scene.events.map((event) => forge(event))
const wrongSignature = (event: (typeof FORGERIES)[number]) => ({
  ...event,
  sig: event === scene.issue ? scene.comment.sig : scene.issue.sig,
})

/** A relay that stores whatever it is sent: nothing that is forged stops there. */
const NAIVE: ScriptedRelayOptions = { verify: false, deletions: false }

describe('an event that the target serves by its id', () => {
  it('is held whatever the signature of the copy is: nobody sends it, nobody believes it', async () => {
    const bench = createWorkbench()
    const regular = [scene.issue, scene.comment]
    const source = await bench.scripted({ events: [scene.announced, ...regular.map(wrongSignature)] })
    const target = await bench.scripted({ events: scene.events })
    const { code, report } = await bench.catchup(source, target, '--no-reconcile')
    expect([code, report.totals.held, report.totals.published]).toEqual([0, 3, 0])
    expect(report.layers.map(({ invalid }) => invalid)).toEqual([0, 0, 0])
  })

  it('is not a copy with other content under that id', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: [scene.announced, forge(scene.issue)] })
    const target = await bench.scripted({ events: scene.events })
    const { report } = await bench.catchup(source, target, '--no-reconcile')
    expect(report.layers.reduce((sum, { invalid }) => sum + invalid, 0)).toBe(1)
  })

  it('deletes nothing unverified', async () => {
    const bench = createWorkbench()
    const forged = { ...deletion({ ids: [scene.issue.id] }, bob), sig: scene.issue.sig }
    const source = await bench.scripted({ events: [...scene.events, forged], ...NAIVE })
    const held = scene.events.filter(({ id }) => id !== scene.issue.id)
    const target = await bench.scripted({ events: [...held, forged], ...NAIVE })
    await bench.catchup(source, target, '--no-reconcile')
    expect(target.received.events.map(({ id }) => id)).toContain(scene.issue.id)
  })
})

describe('a forged copy', () => {
  it.each([
    ['before', 0, 100],
    ['after', 100, 0],
  ])('that arrives %s the true event does not hide it, in any layer', async (_, forgerDelay, honestDelay) => {
    const bench = createWorkbench()
    const forger = await bench.scripted({ events: FORGERIES, delayMs: forgerDelay })
    const honest = await bench.scripted({ events: scene.events, delayMs: honestDelay })
    const target = await bench.scripted(NAIVE)
    const { code } = await bench.catchup([forger, honest], target)
    expect([...target.events.values()].sort((a, b) => a.created_at - b.created_at)).toEqual(scene.events)
    expect(code).toBe(0)
  })

  it('with the true id and another signature does not hide it either', async () => {
    const bench = createWorkbench()
    const forger = await bench.scripted({ events: scene.events.map(wrongSignature) })
    const honest = await bench.scripted({ events: scene.events, delayMs: 60 })
    const target = await bench.scripted(NAIVE)
    const { code } = await bench.catchup([forger, honest], target)
    expect([code, idsOf(target.events.values())]).toEqual([0, idsOf(scene.events)])
    for (const event of scene.events) expect(target.events.get(event.id)).toEqual(event)
  })

  it('on the page before does not hide the true event of the same relay', async () => {
    const true_ = scene.issue
    const forged = { ...true_, sig: scene.comment.sig }
    const pages = [pageOf([scene.comment, forged]), pageOf([true_]), pageOf([])]
    const handed: string[] = []
    let asked = 0
    await drain(
      {},
      {
        request: async () => pages[(asked += 1) - 1] ?? pageOf([]),
        sink: async (events) => void handed.push(...events.map(({ sig }) => sig)),
        capacity: { ...createCapacity(), most: 500 },
        limit: 500,
      },
    )
    expect(handed).toEqual([scene.comment.sig, forged.sig, true_.sig])
  })

  it('is never sent on, and is counted', async () => {
    const bench = createWorkbench()
    const forger = await bench.scripted({ events: [...scene.events.slice(0, 3), forge(scene.comment)] })
    const target = await bench.scripted(NAIVE)
    const { code, report } = await bench.catchup(forger, target)
    expect([code, idsOf(target.events.values())]).toEqual([0, idsOf(scene.events.slice(0, 3))])
    expect(report.layers[2]?.invalid).toBeGreaterThan(0)
    expect(report.problems).toContainEqual(
      expect.objectContaining({ what: 'invalid', where: forger.url, reason: 'wrong id', example: scene.comment.id }),
    )
  })
})

describe('a forged event', () => {
  it('does not win over the true version of its address because it is newer', async () => {
    const bench = createWorkbench()
    const newer = announcement(alice, 'hello', { createdAt: scene.announced.created_at + 1_000 })
    const forger = await bench.scripted({ events: [{ ...newer, sig: scene.announced.sig }] })
    const honest = await bench.scripted({ events: scene.events })
    const target = await bench.scripted(NAIVE)
    const { code } = await bench.catchup([forger, honest], target)
    expect([code, idsOf(target.events.values())]).toEqual([0, idsOf(scene.events)])
  })

  it.each(['source', 'target'] as const)('that deletes, at the %s, deletes nothing', async (place) => {
    const bench = createWorkbench()
    const honest = deletion({ ids: [scene.comment.id] }, bob)
    const forged = { ...honest, pubkey: scene.comment.pubkey }
    const source = await bench.scripted({
      ...NAIVE,
      events: [...scene.events, ...(place === 'source' ? [forged] : [])],
    })
    const target = await bench.scripted({ ...NAIVE, events: place === 'target' ? [forged] : [] })
    await bench.catchup(source, target)
    expect(target.events.has(scene.comment.id)).toBe(true)
  })

  it.each(['source', 'target'] as const)(
    'that makes an author vanish, at the %s, takes nothing away',
    async (place) => {
      const bench = createWorkbench()
      const request = vanishRequest(['ALL_RELAYS'], bob, { createdAt: scene.comment.created_at })
      const forged = { ...request, pubkey: scene.comment.pubkey }
      const source = await bench.scripted({
        ...NAIVE,
        events: [...scene.events, ...(place === 'source' ? [forged] : [])],
      })
      const target = await bench.scripted({ ...NAIVE, events: place === 'target' ? [forged] : [] })
      await bench.catchup(source, target)
      expect(target.events.has(scene.comment.id)).toBe(true)
    },
  )

  it('opens no thread', async () => {
    const bench = createWorkbench()
    const bug = issue(scene.address, bob, { content: 'true' })
    const source = await bench.scripted({ events: [...scene.events, forge(bug), comment(bug, alice)] })
    const target = await bench.scripted(NAIVE)
    await bench.catchup(source, target)
    expect(source.received.reqs.some(({ filters }) => filters.some((filter) => filter['#E']?.includes(bug.id)))).toBe(
      false,
    )
  })
})

describe('a version that its author deleted', () => {
  it('does not hide the older one, which another source serves', async () => {
    const bench = createWorkbench()
    const { announced } = scene
    const newer = announcement(alice, 'hello', { createdAt: announced.created_at + 60 })
    const gone = deletion({ ids: [newer.id] }, alice, { createdAt: announced.created_at + 120 })
    const sources = [await bench.scripted({ events: [announced, gone] }), await bench.scripted({ events: [newer] })]
    const target = await bench.scripted()
    const { code } = await bench.catchup(sources, target)
    expect([code, idsOf(target.events.values())]).toEqual([0, [announced.id]])
  })
})

describe('a library of the system', () => {
  it('checks no signature when it takes one that is wrong', () => {
    const yes = (): number => 1
    expect(loadNativeCheck(() => ({ load: () => ({ func: () => yes }) }))).toBeUndefined()
  })
})
