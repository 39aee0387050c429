import { describe, expect, it } from 'vitest'

import { runInProcess } from '../support/in-process.ts'
import { generateHistory, historySize } from '../support/generate.ts'
import { createMemoryEndpoint } from '../support/memory-endpoint.ts'
import { openTemporaryState } from '../support/temporary-state.ts'

const SHAPE = { repositories: 2, rootsPerRepository: 20, commentsPerRoot: 15 }

describe('filling the relay of serve', () => {
  it('stops between two pieces when time is up, lets nobody in, and loses nothing', async () => {
    const target = createMemoryEndpoint()
    const timeIsUp = new AbortController()
    const added: number[] = []
    let hasLetIn = false
    const relay = {
      ...{ url: 'ws://127.0.0.1:7777', size: 0, wasVisited: false, has: () => true, hangUp: () => 0 },
      add: (events: readonly unknown[]) => {
        added.push(events.length)
        // As a signal or a ping would: it needs a turn of the event loop to be heard.
        setImmediate(() => timeIsUp.abort(new Error('--max-duration has passed')))
      },
      letIn: () => void (hasLetIn = true),
    }
    const report = await runInProcess({
      sources: [createMemoryEndpoint({ url: 'ws://source', events: [...generateHistory(SHAPE)] })],
      target,
      state: openTemporaryState().state,
      options: { command: 'serve' },
      serving: { relay, connectTarget: async () => target },
      deadline: timeIsUp.signal,
    })
    expect(added).toEqual([500])
    expect([report.exit, hasLetIn, report.totals.parked]).toEqual([3, false, historySize(SHAPE)])
  })
})
