import { describe, expect, it } from 'vitest'

import { createRandom } from '../support/generate.ts'
import { runCli } from '../support/run-cli.ts'
import type { Outgoing } from '../support/scripted-behaviour.ts'
import type { ScriptedRelay } from '../support/scripted-relay.ts'
import { createWorkbench, endArguments, idsOf } from '../support/workbench.ts'
import { HISTORY } from './matrix/scene.ts'
import { mutateDocument, mutateFrame } from './mutate.ts'
import { UNSAFE } from './unsafe.ts'

const SEED = Number(process.env['FAULTS_SEED'] ?? 1)
const SEEDS = process.env['FAULTS'] === 'full' ? 100 : 10
const FRAMES_PER_SEED = 1_000
const SHORT = ['--idle-timeout', '400ms', '--ok-timeout', '400ms', '--connect-timeout', '5s', '--retries', '1']

/** Every frame goes out behind spoilt copies of itself, and one in 25 only so, until there were enough of them. */
function spoil(relays: readonly ScriptedRelay[], random: () => number): () => number {
  let count = 0
  const copies = (frame: readonly unknown[]): Outgoing[] =>
    Array.from({ length: Math.min(1 + Math.floor(random() * 40), FRAMES_PER_SEED - count) }, () => {
      count += 1
      return mutateFrame(frame, random)
    })
  for (const { behaviour } of relays) {
    behaviour.outgoing = (frame) => {
      if (count >= FRAMES_PER_SEED) return [frame]
      const spoilt = copies(frame)
      return random() < 0.04 ? spoilt : [...spoilt, frame]
    }
    behaviour.onDocument = () => ({ body: mutateDocument({ name: 'fuzz', limitation: { max_limit: 5 } }, random) })
  }
  return () => count
}

describe(`${FRAMES_PER_SEED} spoilt frames from both relays`, () => {
  it.for(Array.from({ length: SEEDS }, (_, index) => SEED * 1_000 + index))('seed %i', async (seed, { task }) => {
    const bench = createWorkbench()
    const random = createRandom(seed)
    const usual = { negentropy: random() < 0.5, pageCap: 5 }
    const [source, target] = await Promise.all([bench.scripted({ ...usual, events: HISTORY }), bench.scripted(usual)])
    const spoilt = spoil([source, target], random)
    const args = ['catchup', ...endArguments(source, target), '--scope', 'all', ...SHORT]
    const codes: unknown[] = []
    while (spoilt() < FRAMES_PER_SEED) {
      const { code, signal, stdout, stderr } = await bench.spawn(args)
      codes.push(code)
      expect([signal, [0, 1, 3].includes(code ?? -1)]).toEqual([null, true])
      expect(stdout + stderr).not.toMatch(UNSAFE)
      // What Node prints of an exception that nobody caught.
      expect(stderr).not.toMatch(/^\s+at |Unhandled|Node\.js v/m)
    }
    task.meta.figure = `exits ${codes.join()}`

    for (const { behaviour } of [source, target]) {
      delete behaviour.outgoing
      delete behaviour.onDocument
    }
    // What it heard of refusals was spoilt as well: this one knows nothing.
    const fresh = await runCli([...args, '--state', bench.path('fresh.db')])
    expect([fresh.code, idsOf(target.events.values())]).toEqual([0, idsOf(HISTORY)])
  })
})
