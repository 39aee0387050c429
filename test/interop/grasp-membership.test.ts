import { describe, expect, it } from 'vitest'

import type { NostrEvent } from '../../src/nostr/event.ts'
import { announcement, SOME_TIME, state } from '../support/builders.ts'
import { alice, bob, carol } from '../support/scenes.ts'
import { idsOf, nowSeconds } from '../support/workbench.ts'
import { createGitRepository } from '../support/git-repository.ts'
import { startGrasp, type Grasp } from './support/grasp.ts'
import { NOTHING_TO_DO, summaryOf, waitUntilServed } from './support/hosted-repository.ts'
import { wantedRelays } from './support/installation.ts'
import { createInteropBench } from './support/interop-bench.ts'

type Tags = readonly (readonly string[])[]

/**
 * One way in which alice, who owns the repository at the relay, and bob, who announces it elsewhere, name each other.
 */
type Case = {
  readonly name: string
  readonly a: Tags
  /** Absent: bob announces nothing. */
  readonly b?: Tags
  /** What the relay ends with, beside what alice signed. */
  readonly serves: readonly ('announcement' | 'state')[]
  readonly dropped?: 'out of scope: invited' | 'out of scope: left' | 'out of scope'
}

const [A, B] = [alice.pubkey, bob.pubkey]

/** The table of shared/grasp.md, section 3, as far as it is about two people. */
const CASES: readonly Case[] = [
  { name: 'm-invited', a: [['m', B]], serves: [], dropped: 'out of scope: invited' },
  { name: 'maintainers-invited', a: [['maintainers', B]], serves: [], dropped: 'out of scope: invited' },
  { name: 'm-m', a: [['m', B]], b: [['m', A]], serves: ['announcement', 'state'] },
  { name: 'm-maintainers', a: [['m', B]], b: [['maintainers', A]], serves: ['announcement', 'state'] },
  {
    name: 'maintainers-lead',
    a: [['maintainers', B]],
    b: [
      ['M', A],
      ['m', B],
    ],
    serves: ['announcement', 'state'],
  },
  { name: 'm-nothing', a: [['m', B]], b: [], serves: ['announcement', 'state'] },
  {
    name: 'm-left',
    a: [['m', B]],
    b: [
      ['m', A],
      ['m', B, '1', '2'],
    ],
    serves: ['announcement'],
    dropped: 'out of scope: left',
  },
  { name: 'ended', a: [['m', B, '100', '200']], b: [['m', A]], serves: [], dropped: 'out of scope' },
  { name: 'malformed', a: [['m', B, 'abc']], b: [['m', A]], serves: [], dropped: 'out of scope' },
  { name: 'deferred', a: [['m', B, '100', 'defer']], b: [['m', A]], serves: [], dropped: 'out of scope' },
  { name: 'observer', a: [['o', B]], b: [['m', A]], serves: [], dropped: 'out of scope' },
  {
    name: 'observer-and-maintainers',
    a: [
      ['o', B],
      ['maintainers', B],
    ],
    b: [['m', A]],
    serves: [],
    dropped: 'out of scope',
  },
  { name: 'returned', a: [['m', B, '100', '200', '300']], b: [['m', A]], serves: ['announcement', 'state'] },
  { name: 'upper-case-m', a: [['m', B.toUpperCase()]], b: [['m', A]], serves: ['announcement', 'state'] },
  { name: 'upper-case-maintainers', a: [['maintainers', B.toUpperCase()]], b: [['maintainers', A]], serves: [] },
]

type Prepared = Case & {
  readonly mine: readonly NostrEvent[]
  readonly bobs: { announced?: NostrEvent; pushed: NostrEvent }
}

async function prepare(grasp: Grasp, chosen: Case, commit: string): Promise<Prepared> {
  const { name: d, a, b } = chosen
  const service = { clone: [grasp.service.clone(alice, d)], relays: [grasp.service.relay] }
  const elsewhere = { clone: ['https://git.invalid/x.git'], relays: ['wss://relay.invalid'] }
  const mine = [announcement(alice, d, { ...service, tags: a }), state(alice, d, { commit, createdAt: SOME_TIME + 60 })]
  // Of one identifier a commit is known whoever pushed it: bob's state waits for nothing.
  const pushed = state(bob, d, { commit, createdAt: SOME_TIME + 120 })
  if (b === undefined) return { ...chosen, mine, bobs: { pushed } }
  return { ...chosen, mine, bobs: { announced: announcement(bob, d, { ...elsewhere, tags: b }), pushed } }
}

function expectedOf({ mine, bobs, serves }: Prepared): NostrEvent[] {
  const theirs = [serves.includes('announcement') ? bobs.announced : [], serves.includes('state') ? bobs.pushed : []]
  return [...mine, ...theirs.flatMap((event) => event ?? [])]
}

describe.skipIf(!wantedRelays().includes('ngit-grasp'))('maintainers at ngit-grasp 3.0.10', () => {
  it('what is copied is what it takes, and nothing else is sent', async () => {
    const bench = createInteropBench()
    const grasp = await startGrasp()
    const git = await createGitRepository('shared')
    const cases = await Promise.all(CASES.map((chosen) => prepare(grasp, chosen, git.commit)))
    const source = await bench.real({
      events: cases.flatMap(({ mine, bobs }) => [...mine, bobs.pushed, ...(bobs.announced ? [bobs.announced] : [])]),
    })
    const first = await bench.catchup(source, grasp, '--connections', '2')
    expect(first.report.layers.map(({ outcomes }) => outcomes.refused ?? 0)).toEqual([0, 0, 0])
    for (const { name } of CASES) await git.push(grasp.service.clone(alice, name))
    await waitUntilServed(
      grasp,
      cases.flatMap(({ mine }) => mine),
    )
    const second = await bench.catchup(source, grasp, '--connections', '2')
    const third = await bench.catchup(source, grasp)
    const served = await grasp.events()
    const wrong = cases.filter(
      (prepared) =>
        idsOf(served.filter(({ tags }) => tags.some(([k, v]) => k === 'd' && v === prepared.name))).join() !==
        idsOf(expectedOf(prepared)).join(),
    )
    expect(wrong.map(({ name }) => name)).toEqual([])
    expect(second.code).toBe(0)
    expect(summaryOf(third)).toEqual(NOTHING_TO_DO)
    for (const why of ['out of scope: invited', 'out of scope: left'] as const) {
      const dropped = first.report.layers.reduce((sum, layer) => sum + (layer.dropped[why] ?? 0), 0)
      expect([why, dropped]).toEqual([why, CASES.filter(({ dropped: reason }) => reason === why).length])
    }
  })

  it('follows the lead forwards: the state of the new lead is served, not that of the old one', async () => {
    const bench = createInteropBench()
    const grasp = await startGrasp()
    const git = await createGitRepository('moved')
    const service = { clone: [grasp.service.clone(alice, 'moved')], relays: [grasp.service.relay] }
    const mine = announcement(alice, 'moved', { ...service, tags: [['M', B]] })
    const theirs = announcement(bob, 'moved', {
      clone: ['https://git.invalid/x.git'],
      relays: ['wss://relay.invalid'],
      tags: [['M', B]],
    })
    const old = state(alice, 'moved', { commit: '5'.repeat(40) })
    const current = state(bob, 'moved', { commit: git.commit })
    const source = await bench.real({ events: [mine, theirs, old, current] })
    const first = await bench.catchup(source, grasp)
    await git.push(grasp.service.clone(alice, 'moved'))
    await waitUntilServed(grasp, [mine, current])
    const second = await bench.catchup(source, grasp)
    expect(idsOf(await grasp.events())).toEqual(idsOf([mine, theirs, current]))
    expect([first.code, second.code]).toEqual([3, 0])
  })

  it('accepts an invitation: what the maintainer pushed before goes in the run that finds the acceptance', async () => {
    const bench = createInteropBench()
    const grasp = await startGrasp()
    const git = await createGitRepository('joined')
    const service = { clone: [grasp.service.clone(alice, 'joined')], relays: [grasp.service.relay] }
    const elsewhere = { clone: ['https://git.invalid/x.git'], relays: ['wss://relay.invalid'] }
    const mine = [
      announcement(alice, 'joined', {
        ...service,
        tags: [
          ['m', B],
          ['m', carol.pubkey],
        ],
      }),
      state(alice, 'joined', { commit: git.commit }),
    ]
    const pushed = state(bob, 'joined', { commit: git.commit, createdAt: SOME_TIME + 60 })
    const source = await bench.real({ events: [...mine, pushed] })
    await bench.catchup(source, grasp)
    await git.push(grasp.service.clone(alice, 'joined'))
    await waitUntilServed(grasp, mine)
    const before = await bench.catchup(source, grasp)
    expect([before.code, idsOf(await grasp.events())]).toEqual([0, idsOf(mine)])
    const accepted = announcement(bob, 'joined', { ...elsewhere, tags: [['m', A]], createdAt: nowSeconds() })
    await source.seed([accepted])
    const after = await bench.catchup(source, grasp)
    expect(summaryOf(after)).toEqual({ code: 0, published: 2, parked: 0, refused: 0 })
    expect(idsOf(await grasp.events())).toEqual(idsOf([...mine, accepted, pushed]))
  })
})
