import { join } from 'node:path'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import type { NostrEvent } from '../../src/nostr/event.ts'
import { KIND } from '../../src/nostr/kinds.ts'
import type { Report } from '../../src/report/report.ts'
import { announcement, comment, deletion, issue as issueOf, repositoryAddress, state } from '../support/builders.ts'
import { expectedOfEverything } from '../support/expected-events.ts'
import { runInProcess } from '../support/in-process.ts'
import { createMemoryEndpoint, type MemoryEndpoint } from '../support/memory-endpoint.ts'
import { alice, bob, carol } from '../support/scenes.ts'
import { openTemporaryState, temporaryDirectory } from '../support/temporary-state.ts'
import { anyDays, createFickleSource, type Day, type FickleSource, type SourceFortune } from './fortunes.ts'
import { POOL, START } from './pool.ts'

const SEED = Number(process.env['FAULTS_SEED'] ?? 1)
const RUNS = process.env['FAULTS'] === 'full' ? 1_000 : 100
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
  // Between two sides that hold nothing at all nothing is compared: that is no complete run.
  chosen: fc.subarray(
    ALL.map((_, index) => index),
    { minLength: 1 },
  ),
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
  /** Ids of what belonged at the target in any run, or was there before: what is left of it later is no fault. */
  readonly belonged: Set<string>
}

describe(`runs in a row, between which databases are lost, restored and regained, seed ${SEED}`, () => {
  it('say 0 only when the target holds what the range promises, and undisturbed ones end complete', async ({
    task,
  }) => {
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
  return { sources, target, file, belonged: new Set(target.events.keys()) }
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
    befall(scene, sources, now)
    const report = await runOnce(scene, now)
    if (report.exit === 0) green += 1
    if (report.exit === 0) expect(findLies(scene, report).map(brief)).toEqual([])
  }
  return { now, green }
}

function befall({ sources, file }: Scene, fortunes: readonly SourceFortune[], now: number): void {
  const { db } = openTemporaryState({ file })
  const hasShown = db.prepare('SELECT 1 FROM witness WHERE relay = ? LIMIT 1')
  for (const [index, source] of sources.entries()) {
    source.befall(fortunes[index] ?? 'whole', now, hasShown.get(source.url) !== undefined)
  }
  db.close()
}

/** All is well again: one run completes, the next one has nothing to do. */
async function expectRest(scene: Scene, now: number): Promise<void> {
  befall(scene, [], now)
  const [first, second] = [await runOnce(scene, now), await runOnce(scene, now + 60)]
  expect([first.exit, second.exit, second.totals.published]).toEqual([0, 0, 0])
  const want = expectedNow(scene, now)
  expect(want.filter(({ id }) => !scene.target.events.has(id)).map(brief)).toEqual([])
  // The deletion of a root may have come along with it or may not.
  const extra = [...scene.target.events.values()].filter(
    ({ id, kind }) => kind !== KIND.deletion && !scene.belonged.has(id),
  )
  expect(extra.map(brief)).toEqual([])
}

/** What belongs at the target by what it and the sources show, as far as it is heard of. */
function expectedNow(
  { sources, target }: Scene,
  now: number,
  isHeardOf: (event: NostrEvent) => boolean = () => true,
): NostrEvent[] {
  const all = [...sources.flatMap(({ shown }) => [...shown.values()]), ...target.events.values()]
  return expectedAmong(all.filter(isHeardOf), now)
}

function expectedAmong(events: readonly NostrEvent[], now: number): NostrEvent[] {
  return expectedOfEverything([...new Map(events.map((event) => [event.id, event])).values()], now)
}

async function runOnce(scene: Scene, now: number): Promise<Report> {
  const { sources, target, file, belonged } = scene
  // Not every run hears of every deletion.
  for (const { id } of expectedNow(scene, now, ({ kind }) => kind !== KIND.deletion)) belonged.add(id)
  const { state: targetState, db } = openTemporaryState({ file })
  try {
    return await runInProcess({ sources, target, state: targetState, now })
  } finally {
    db.close()
  }
}

/**
 * What a report with exit 0 promises and the target lacks: what the sources show of the range, or had at the full pass
 * and did not lose since in a way that nobody could notice. What belongs only by something else is none of it.
 */
function findLies(scene: Scene, { range, startedAt }: Report): NostrEvent[] {
  const { sources, target } = scene
  const { completeSince, fullAt } = range
  const isPromised = ({ lostAt }: FickleSource, { id, created_at: at }: NostrEvent): boolean =>
    completeSince === null || at >= completeSince || (lostAt.get(id) ?? -1) < Math.max(fullAt ?? startedAt, at)
  const promised = sources.flatMap((source) => [...source.shown.values()].filter((event) => isPromised(source, event)))
  const belongs = new Set(expectedNow(scene, startedAt).map(({ id }) => id))
  const expected = expectedAmong([...promised, ...target.events.values()], startedAt)
  return expected.filter(({ id }) => belongs.has(id) && !target.events.has(id))
}

function restore({ events }: MemoryEndpoint, snapshot: ReadonlyMap<string, NostrEvent> | undefined): void {
  if (snapshot === undefined) return
  events.clear()
  for (const [id, event] of snapshot) events.set(id, event)
}

/** For the reader of a counterexample: which of the events it is. */
function brief({ id, kind }: NostrEvent): string {
  return `${ALL.findIndex((event) => event.id === id)}, of kind ${kind}`
}
