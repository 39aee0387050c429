import { describe, expect, it } from 'vitest'

import { createRandom } from '../support/generate.ts'
import { idsOf } from '../support/workbench.ts'
import {
  anchorsDrained,
  catchup,
  listenForEvents,
  lengthOf,
  setUp,
  startDisturbed,
  type Occasion,
} from './disturbance.ts'
import { findFalseCoverage } from './matrix/false-coverage.ts'
import { anchorsOf, belongsOf } from './matrix/scene.ts'

/*
 * `kill -9` at random instants: a frame of the run, counted at both ends, and some milliseconds more, so that it
 * strikes between the frames as well, while the state is written. Frame 0 is the start of the process.
 */

type Crash = Occasion & { readonly number: number; readonly part: number; readonly delayMs: number }

const SEED = Number(process.env['FAULTS_SEED'] ?? 1)
const COUNT = process.env['FAULTS'] === 'full' ? 200 : 20

describe(`kill -9 at a random instant, seed ${SEED}`, () => {
  it.for(drawCrashes())('$number: the next run ends as an undisturbed one', async (crash, { task }) => {
    const length = await lengthOf(crash)
    const stage = await setUp(crash)
    const frame = Math.round(crash.part * length)
    const crashed = startDisturbed(stage, { frame, delayMs: crash.delayMs, act: (cli) => cli.kill('SIGKILL') })
    const { signal } = await crashed.finished
    task.meta.figure = `${crash.mode}, ${crash.run} run, ${signal ?? 'after its end'}, frame ${frame} of ${length} + ${crash.delayMs} ms`
    expect(findFalseCoverage(stage, stage.before)).toEqual([])

    const held = idsOf(stage.target.events())
    const sent = listenForEvents(stage)
    const { code, report } = await catchup(stage)
    expect([code, idsOf(stage.target.events())]).toEqual([0, idsOf(belongsOf(stage.truth))])
    expect(held.filter((id) => sent.has(id))).toEqual([])
    expect(anchorsDrained(stage)).toEqual(anchorsOf(belongsOf(stage.truth)))
    const late = stage.bench.checkpoints(stage.source).filter((row) => row.drained_at > report.startedAt)
    expect(late).toEqual([])
  })
})

function drawCrashes(): Crash[] {
  const random = createRandom(SEED)
  return Array.from({ length: COUNT }, (_, index) => {
    const mode = random() < 0.5 ? 'paging' : 'reconcile'
    const run = random() < 0.5 ? 'first' : 'later'
    const part = Math.max(0, random() * 1.1 - 0.1)
    // Of a process that starts, the first half second is interesting; of one that runs, what lies between two frames.
    const delayMs = Math.floor(part === 0 ? random() * 500 : random() ** 2 * 60)
    return { number: index + 1, mode, run, part, delayMs }
  })
}
