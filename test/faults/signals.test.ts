import { describe, expect, it } from 'vitest'

import { createRandom } from '../support/generate.ts'
import { waitFor } from '../support/wait-for.ts'
import { endArguments, idsOf } from '../support/workbench.ts'
import { catchup, lengthOf, listenForEvents, setUp, startDisturbed, type Occasion } from './disturbance.ts'
import { findFalseCoverage } from './matrix/false-coverage.ts'
import { belongsOf } from './matrix/scene.ts'

type Interruption = Occasion & {
  readonly number: number
  readonly part: number
  readonly signal: 'SIGINT' | 'SIGTERM'
}

const SEED = Number(process.env['FAULTS_SEED'] ?? 1)
const COUNT = process.env['FAULTS'] === 'full' ? 40 : 6
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const

describe(`SIGINT and SIGTERM at a random instant, seed ${SEED}`, () => {
  it.for(drawInterruptions())('$number: the run ends cleanly, the next one completes', async (drawn, { task }) => {
    const { mode, run, signal, part } = drawn
    const stage = await setUp({ mode, run })
    const length = await lengthOf({ mode, run })
    const frame = Math.ceil(part * length)
    const running = startDisturbed(stage, { frame, delayMs: 0, act: (cli) => cli.kill(signal) })
    const { code, stdout } = await running.finished
    task.meta.figure = `${mode}, ${run} run, ${signal}, frame ${frame} of ${length}`
    expect([code, JSON.parse(stdout)]).toMatchObject([EXIT_CODES[signal], { exit: code, complete: false }])
    expect(findFalseCoverage(stage, stage.before)).toEqual([])

    const held = idsOf(stage.target.events())
    const sent = listenForEvents(stage)
    const next = await catchup(stage)
    expect([next.code, idsOf(stage.target.events())]).toEqual([0, idsOf(belongsOf(stage.truth))])
    expect(held.filter((id) => sent.has(id))).toEqual([])
  })
})

describe('a second signal', () => {
  it('ends the run at once, without the report that it would end with', async () => {
    const stage = await setUp({ mode: 'paging', run: 'first' })
    const labels: unknown[] = []
    stage.source.proxy.onFrame(([label], from) => {
      if (from === 'client') labels.push(label)
      return { type: 'stall' }
    })
    const running = stage.bench.start(['catchup', '--json', ...endArguments(stage.source, stage.target)])
    await waitFor(() => labels.includes('REQ'), { timeoutMs: 20_000 })
    running.kill('SIGINT')
    // It takes back what it has asked, then waits for a relay that does not let it go.
    await waitFor(() => labels.includes('CLOSE'), { timeoutMs: 20_000 })
    running.kill('SIGINT')
    const { code, stdout } = await running.finished
    expect([code, stdout]).toEqual([130, ''])
  })
})

function drawInterruptions(): Interruption[] {
  const random = createRandom(SEED)
  return Array.from({ length: COUNT }, (_, index) => ({
    number: index + 1,
    mode: random() < 0.5 ? 'paging' : 'reconcile',
    run: random() < 0.5 ? 'first' : 'later',
    signal: index % 2 === 0 ? 'SIGINT' : 'SIGTERM',
    // Later the run may be over before the signal is there.
    part: random() * 0.9,
  }))
}
