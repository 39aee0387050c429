import { describe, expect, it } from 'vitest'

import type { RunEvent } from '../../src/run-event.ts'
import type { OwnRelay } from '../../src/run/world.ts'
import { runInProcess } from '../support/in-process.ts'
import { createMemoryEndpoint } from '../support/memory-endpoint.ts'
import { smallRepository } from '../support/scenes.ts'
import { openTemporaryState } from '../support/temporary-state.ts'

const { events } = smallRepository()
const MINUTE_MS = 60_000

describe('serve', () => {
  it('wakes an ngit-grasp that takes nothing, tells what it lacks, and ends when it has taken all', async () => {
    const target = createMemoryEndpoint({ profile: { software: 'ngit-grasp' } })
    let hungUp = 0
    const relay: OwnRelay = {
      url: 'ws://127.0.0.1:7777',
      size: events.length,
      wasVisited: false,
      add: () => undefined,
      has: () => false,
      letIn: () => undefined,
      hangUp: () => {
        hungUp += 1
        for (const event of events) target.events.set(event.id, event)
        return 1
      },
    }
    const told: RunEvent[] = []
    const report = await runInProcess({
      sources: [createMemoryEndpoint({ url: 'ws://source', events })],
      target,
      state: openTemporaryState().state,
      options: { command: 'serve' },
      serving: { relay, connectTarget: async () => target },
      tell: (event) => {
        told.push(event)
        return event.type === 'served' ? MINUTE_MS / 2 : 0
      },
    })
    expect([report.exit, report.totals.accepted, hungUp]).toEqual([0, events.length, 1])
    const served = told.filter((event) => event.type === 'served')
    expect(served.map(({ served, total, lacking }) => [served, total, lacking.length])).toEqual([
      [0, 4, 0],
      [0, 4, 4],
      [4, 4, 0],
    ])
    expect(told.filter(({ type }) => type === 'hung-up')).toEqual([{ type: 'hung-up', clients: 1, lullMs: MINUTE_MS }])
  })
})
