import { join } from 'node:path'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { SyncError } from '../../src/errors.ts'
import type { NostrEvent } from '../../src/nostr/event.ts'
import { KIND } from '../../src/nostr/kinds.ts'
import type { Db } from '../../src/store/state-file.ts'
import { expectedOfEverything } from '../support/expected-events.ts'
import { runInProcess } from '../support/in-process.ts'
import { createMemoryEndpoint, type MemoryEndpoint } from '../support/memory-endpoint.ts'
import { openTemporaryState, temporaryDirectory } from '../support/temporary-state.ts'
import { differenceOf, idsOf, type CheckpointRow, type SpoolRow } from '../support/workbench.ts'
import { standsFor } from './matrix/scene.ts'
import { POOL, START } from './pool.ts'
import { anySchedule, disturb, type Schedule } from './schedule.ts'

const SEED = Number(process.env['FAULTS_SEED'] ?? 1)
const RUNS = process.env['FAULTS'] === 'full' ? 2_000 : 200
/** A schedule that ends is over by then: each run uses up some of it. */
const MOST_RUNS = 80

/** Which of three sources has an event: a bit for each. */
const splits = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: POOL.length, maxLength: POOL.length })
const cases = fc.record({
  // Between two sides that hold nothing at all nothing is compared: that is no complete run.
  chosen: fc.subarray(
    POOL.map((_, index) => index),
    { minLength: 1 },
  ),
  split: splits,
  held: fc.array(fc.boolean(), { minLength: POOL.length, maxLength: POOL.length }),
  // Two events in one second fit into a page of three, and it shows.
  cap: fc.constantFrom(3, 4, 7, 500),
  schedules: fc.tuple(anySchedule, anySchedule, anySchedule),
  targetSchedule: anySchedule,
  pauses: fc.array(fc.constantFrom(60, 840, 3_600), { maxLength: 6 }),
})

type Case = typeof cases extends fc.Arbitrary<infer T> ? T : never
type Scene = {
  readonly all: readonly NostrEvent[]
  readonly sources: readonly MemoryEndpoint[]
  readonly target: MemoryEndpoint
  readonly file: string
}

describe(`any events, split over three sources, with any page cap and any faults that end, seed ${SEED}`, () => {
  it('end at the target as the union of what belongs, and no checkpoint claims more than was drained', async ({
    task,
  }) => {
    const directory = temporaryDirectory()
    let [number, runs] = [0, 0]
    const property = fc.asyncProperty(cases, async (drawn) => {
      const scene = setUp(drawn, join(directory, `${(number += 1)}.db`))
      runs += await runUntilComplete(scene, drawn)
    })
    await fc.assert(property, { numRuns: RUNS, seed: SEED, includeErrorInReport: true })
    task.meta.figure = `${RUNS} cases, ${runs} runs`
  })
})

function setUp({ chosen, split, held, cap }: Case, file: string): Scene {
  const all = chosen.flatMap((index) => POOL[index] ?? [])
  const masks = new Map(POOL.map(({ id }, index) => [id, split[index] ?? 0]))
  const sources = [1, 2, 4].map((bit) =>
    createMemoryEndpoint({
      url: `ws://source-${bit}.example`,
      events: all.filter(({ id }) => ((masks.get(id) ?? 0) & bit) > 0),
      cap,
    }),
  )
  const belongs = expectedOfEverything(all, START)
  const target = createMemoryEndpoint({
    url: 'ws://target.example',
    events: belongs.filter((event) => held[POOL.indexOf(event)]),
    cap,
  })
  return { all, sources, target, file }
}

/** Runs until one is complete; returns how many that took. */
async function runUntilComplete(scene: Scene, { schedules, targetSchedule, pauses }: Case): Promise<number> {
  const disturbed = scene.sources.map((source, index) => disturb(source, schedules[index] as Schedule))
  const target = disturb(scene.target, targetSchedule)
  const want = expectedOfEverything(scene.all, START)
  for (let [count, now] = [1, START]; count <= MOST_RUNS; count += 1, now += pauses[count] ?? 3_600) {
    const { state, db } = openTemporaryState({ file: scene.file })
    const exit = await runOnce({ sources: disturbed, target, state, now })
    const lies = findFalseCoverage(scene, want, db)
    db.close()
    expect(lies).toEqual([])
    if (exit !== 0) continue
    // The deletion of a root may have come along with it or may not.
    const held = [...scene.target.events.values()].filter(
      (event) => event.kind !== KIND.deletion || want.includes(event),
    )
    expect(differenceOf(held, want)).toEqual({ missing: [], extra: [] })
    return count
  }
  throw new Error(`not complete after ${MOST_RUNS} runs`)
}

/** The exit code; a target that cannot be reached ends the run by throwing. */
async function runOnce(run: Parameters<typeof runInProcess>[0]): Promise<number> {
  try {
    return (await runInProcess(run)).exit
  } catch (error) {
    if (error instanceof SyncError) return 1
    throw error
  }
}

/** Checkpoints of a source that stand for an event of it which is neither at the target nor kept on disk. */
function findFalseCoverage({ sources, target }: Scene, want: readonly NostrEvent[], db: Db): CheckpointRow[] {
  const kept = db.prepare("SELECT lower(hex(id)) AS id FROM spool WHERE state IN ('parked', 'refused')").all()
  const settled = new Set([...target.events.keys(), ...idsOf(kept as SpoolRow[])])
  const rows = db.prepare('SELECT * FROM coverage').all() as CheckpointRow[]
  return sources.flatMap(({ url, events }) => {
    const open = want.filter(({ id }) => events.has(id) && !settled.has(id))
    return rows.filter((row) => row.source === url && open.some((event) => standsFor(row, event)))
  })
}
