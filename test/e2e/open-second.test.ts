import { expect, it } from 'vitest'

import { comment } from '../support/builders.ts'
import { bob, smallRepository } from '../support/scenes.ts'
import { createWorkbench, idsOf } from '../support/workbench.ts'

it('reads a second with more events than a page by NIP-77 when it cannot be split', async () => {
  const bench = createWorkbench()
  const { events, issue } = smallRepository()
  const burst = Array.from({ length: 40 }, (_, index) => comment(issue, bob, { content: `number ${index}` }))
  const source = await bench.scripted({ events: [...events, ...burst], negentropy: true, pageCap: 5 })
  const target = await bench.scripted()
  const { code, report } = await bench.catchup(source, target, '--scope', 'all')
  expect(idsOf(target.events.values())).toEqual(idsOf([...events, ...burst]))
  expect([code, report.problems]).toEqual([0, []])
  const first = report.sources[0]?.layers
  expect(first?.every(({ end }) => end === 'drained')).toBe(true)
})

it('reads it by NIP-77 in a quick run as well', async () => {
  const bench = createWorkbench()
  const { events, issue } = smallRepository()
  const source = await bench.scripted({ events, negentropy: true, pageCap: 5 })
  const target = await bench.scripted()
  await bench.catchup(source, target, '--scope', 'all')
  const now = Math.floor(Date.now() / 1000)
  const burst = Array.from({ length: 40 }, (_, index) => comment(issue, bob, { content: `${index}`, createdAt: now }))
  for (const event of burst) source.events.set(event.id, event)
  const { code, report } = await bench.catchup(source, target, '--scope', 'all')
  expect(report.sources[0]?.layers.map(({ mode }) => mode)).toEqual(['since', 'since', 'since'])
  expect(idsOf(target.events.values())).toEqual(idsOf([...events, ...burst]))
  expect(code).toBe(0)
})
