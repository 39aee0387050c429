import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { createGate } from '../../src/git/gate.ts'

describe('a gate', () => {
  it('lets everybody through in the end, never more at once than it may', async () => {
    const visitor = fc.record({ host: fc.constantFrom('a', 'b', 'c'), fails: fc.boolean() })
    await fc.assert(
      fc.asyncProperty(
        fc.array(visitor, { maxLength: 30 }),
        fc.integer({ min: 1, max: 4 }),
        async (visitors, atOnce) => {
          const gate = createGate(atOnce)
          const inside: string[] = []
          const visit = async ({ host, fails }: (typeof visitors)[number]): Promise<void> => {
            inside.push(host)
            expect(inside.length).toBeLessThanOrEqual(atOnce)
            expect(inside.filter((one) => one === host).length).toBeLessThanOrEqual(2)
            await sleep(0)
            inside.splice(inside.indexOf(host), 1)
            if (fails) throw new Error('failed')
          }
          const done = await Promise.allSettled(visitors.map((one) => gate.run(one.host, 2, () => visit(one))))
          const failed = done.filter(({ status }) => status === 'rejected').length
          expect(failed).toBe(visitors.filter(({ fails }) => fails).length)
        },
      ),
      { numRuns: 50 },
    )
  })

  it('does not let a host that is full hold up the others', async () => {
    const gate = createGate(2)
    const order: string[] = []
    let open = (): void => undefined
    const first = gate.run('a', 1, () => new Promise<void>((resolve) => (open = resolve)))
    const second = gate.run('a', 1, async () => void order.push('a'))
    await gate.run('b', 1, async () => void order.push('b'))
    open()
    await Promise.all([first, second])
    expect(order).toEqual(['b', 'a'])
  })
})
