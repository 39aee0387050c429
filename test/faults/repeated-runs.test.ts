import { join } from 'node:path'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import type { NostrEvent } from '../../src/nostr/event.ts'
import { KIND } from '../../src/nostr/kinds.ts'
import type { Report } from '../../src/report.ts'
import { announcement, comment, deletion, issue as issueOf, repositoryAddress, state } from '../support/builders.ts'
import { expectedOfEverything } from '../support/expected-events.ts'
import { runInProcess } from '../support/in-process.ts'
import { createMemoryEndpoint, type MemoryEndpoint } from '../support/memory-endpoint.ts'
import { alice, bob, carol } from '../support/scenes.ts'
import { openTemporaryState, temporaryDirectory } from '../support/temporary-state.ts'
import { differenceOf } from '../support/workbench.ts'
import { anyDays, createFickleSource, type Day, type FickleSource } from './fortunes.ts'
import { POOL, START } from './pool.ts'

const SEED = Number(process.env['FAULTS_SEED'] ?? 1)
const RUNS = process.env['FAULTS'] === 'full' ? 2_000 : 200
const DAY = 86_400

const lateAddress = repositoryAddress(bob, 'late')
const lateIssue = issueOf(lateAddress, carol, { createdAt: START + 940 })
const doomedAddress = repositoryAddress(carol, 'doomed')
/** What is signed while the runs go on. */
const ARRIVING: readonly NostrEvent[] = [
  state(alice, 'small', { createdAt: START + 30, commit: 'b'.repeat(40) }),
  announcement(bob, 'late', { createdAt: START + 900 }),
  state(bob, 'late', { createdAt: START + 910 }),
  lateIssue,
  comment(lateIssue, alice, { createdAt: START + 1_800 }),
  announcement(carol, 'doomed', { createdAt: 1_740_004_000 }),
  state(carol, 'doomed', { createdAt: 1_740_004_100 }),
  deletion({ addresses: [doomedAddress] }, carol, { createdAt: START + 1_000 }),
  state(bob, 'late', { createdAt: START + 4_000, commit: 'c'.repeat(40) }),
]
const ALL = [...POOL, ...ARRIVING]

const cases = fc.record({
  chosen: fc.subarray(ALL.map((_, index) => index)),
  // A bit for each source.
  split: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: ALL.length, maxLength: ALL.length }),
  held: fc.array(fc.boolean(), { minLength: ALL.length, maxLength: ALL.length }),
  cap: fc.constantFrom(500, 7, 4),
  days: anyDays,
})
type Case = typeof cases extends fc.Arbitrary<infer T> ? T : never

type Scene = {
  readonly sources: readonly FickleSource[]
  readonly target: MemoryEndpoint
  readonly file: string
  /** What each source showed in the run that began then. */
  readonly shown: Map<number, readonly ReadonlySet<string>[]>
}

describe(`runs in a row, between which databases are lost, restored and regained, seed ${SEED}`, () => {
  it('say 0 only when the target holds what the range promises, and undisturbed ones end complete', async ({ task }) => {
    const directory = temporaryDirectory()
    let [number, greens] = [0, 0]
    const property = fc.asyncProperty(cases, async (drawn) => {
      const scene = setUp(drawn, join(directory, `${(number += 1)}.db`))
      const { now, green } = await liveThrough(scene, drawn.days)
      greens += green
      await expectRest(scene, now + 2 * DAY)
    })
    await fc.assert(property, { numRuns: RUNS, seed: SEED, includeErrorInReport: true })
    task.meta.figure = `${RUNS} cases, ${greens} of their disturbed runs said 0`
  })
})

function setUp({ chosen, split, held, cap }: Case, file: string): Scene {
  const all = chosen.flatMap((index) => ALL[index] ?? [])
  const masks = new Map(ALL.map(({ id }, index) => [id, split[index] ?? 0]))
  const sources = [1, 2].map((bit) =>
    createFickleSource(
      `ws://source-${bit}.example`,
      all.filter(({ id }) => ((masks.get(id) ?? 0) & bit) > 0),
      cap,
    ),
  )
  const before = expectedOfEverything(
    all.filter(({ created_at: at }) => at < START),
    START,
  )
  const target = createMemoryEndpoint({
    url: 'ws://target.example',
    events: before.filter((event) => held[ALL.indexOf(event)]),
    cap,
  })
  return { sources, target, file, shown: new Map() }
}

/** Plays the days; returns when they are over, and how many runs said 0. */
async function liveThrough(scene: Scene, days: readonly Day[]): Promise<{ now: number; green: number }> {
  const snapshots: ReadonlyMap<string, NostrEvent>[] = []
  let [now, green] = [START, 0]
  for (const { pause, sources, target } of days) {
    now += pause
    if (target === 'wiped') scene.target.events.clear()
    else if (target !== 'stays') restore(scene.target, snapshots[Math.max(0, snapshots.length - target.runsBack)])
    snapshots.push(new Map(scene.target.events))
    for (const [index, source] of scene.sources.entries()) source.befall(sources[index] ?? 'whole', now)
    const report = await runOnce(scene, now)
    if (report.exit === 0) green += 1
    if (report.exit === 0) expect(findLies(scene, report)).toEqual([])
  }
  return { now, green }
}

/** All is well again: one run completes, the next one has nothing to do. */
async function expectRest(scene: Scene, now: number): Promise<void> {
  for (const source of scene.sources) source.befall('whole', now)
  const [first, second] = [await runOnce(scene, now), await runOnce(scene, now + 60)]
  expect([first.exit, second.exit, second.totals.published]).toEqual([0, 0, 0])
  const all = [...scene.sources.flatMap(({ shown }) => [...shown.values()]), ...scene.target.events.values()]
  const want = expectedOfEverything(distinct(all), now)
  const held = [...scene.target.events.values()].filter(
    (event) => event.kind !== KIND.deletion || want.includes(event),
  )
  expect(differenceOf(held, want)).toEqual({ missing: [], extra: [] })
}

async function runOnce({ sources, target, file, shown }: Scene, now: number): Promise<Report> {
  shown.set(
    now,
    sources.map((source) => new Set(source.shown.keys())),
  )
  const { state: targetState, db } = openTemporaryState({ file })
  try {
    return await runInProcess({ sources, target, state: targetState, now })
  } finally {
    db.close()
  }
}

/** What a report with exit 0 promises and the target lacks. */
function findLies({ sources, target, shown }: Scene, { range, startedAt }: Report): NostrEvent[] {
  const all = distinct([...sources.flatMap((source) => [...source.shown.values()]), ...target.events.values()])
  const wasFull = shown.get(range.fullAt ?? startedAt) ?? []
  const isPromised = ({ id, created_at: at }: NostrEvent): boolean =>
    range.completeSince === null ||
    at >= range.completeSince ||
    sources.some((source, index) => source.shown.has(id) && wasFull[index]?.has(id))
  return expectedOfEverything(all, startedAt).filter((event) => !target.events.has(event.id) && isPromised(event))
}

function restore({ events }: MemoryEndpoint, snapshot: ReadonlyMap<string, NostrEvent> | undefined): void {
  if (snapshot === undefined) return
  events.clear()
  for (const [id, event] of snapshot) events.set(id, event)
}

function distinct(events: readonly NostrEvent[]): NostrEvent[] {
  return [...new Map(events.map((event) => [event.id, event])).values()]
}
