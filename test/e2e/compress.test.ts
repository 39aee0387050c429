import { describe, expect, it } from 'vitest'

import { smallRepository } from '../support/scenes.ts'
import { createWorkbench } from '../support/workbench.ts'

const { events } = smallRepository()

/** Both ends hold the same; each call is one run, and says at how many connections compression was offered. */
async function startRuns() {
  const bench = createWorkbench()
  const [source, target] = [await bench.scripted({ events }), await bench.scripted({ events })]
  return async (...args: readonly string[]) => {
    for (const relay of [source, target]) relay.forgetReceived()
    const { code } = await bench.catchup(source, target, ...args)
    return { code, atSource: source.received.offers, atTarget: target.received.offers }
  }
}

describe('--compress', () => {
  it('offers compression where an earlier run leaves little to read, by default', async () => {
    const run = await startRuns()
    expect(await run()).toEqual({ code: 0, atSource: 0, atTarget: 0 })
    expect(await run('--full')).toEqual({ code: 0, atSource: 1, atTarget: 1 })
  })

  it('does so for a source that was read before, and not for a new one', async () => {
    const bench = createWorkbench()
    const [known, fresh, target] = await Promise.all([1, 2, 3].map(() => bench.scripted({ events })))
    if (known === undefined || fresh === undefined || target === undefined) throw new Error('no relays')
    await bench.catchup(known, target)
    const { code } = await bench.catchup([known, fresh], target)
    expect([code, known.received.offers, fresh.received.offers, target.received.offers]).toEqual([0, 1, 0, 1])
  })

  it('always or never does so when it is told to', async () => {
    const run = await startRuns()
    expect(await run('--compress', 'always')).toEqual({ code: 0, atSource: 1, atTarget: 1 })
    expect(await run('--compress', 'never')).toEqual({ code: 0, atSource: 0, atTarget: 0 })
  })
})
