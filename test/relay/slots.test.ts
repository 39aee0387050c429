import { describe, expect, it } from 'vitest'

import { Slots } from '../../src/relay/pace/slots.ts'

/** Asks for five places and collects who has one, in order. */
function queueAt(slots: Slots): number[] {
  const admitted: number[] = []
  for (let i = 1; i <= 5; i += 1) void slots.acquire().then(() => admitted.push(i))
  return admitted
}

describe('Slots', () => {
  it('admits as many as there are places', async () => {
    const admitted = queueAt(new Slots(2))
    await Promise.resolve()
    expect(admitted).toEqual([1, 2])
  })

  it('admits the next in order when a place is given back', async () => {
    const slots = new Slots(2)
    const admitted = queueAt(slots)
    slots.release()
    await Promise.resolve()
    expect(admitted).toEqual([1, 2, 3])
  })

  it('admits more when it grows', async () => {
    const slots = new Slots(1)
    const admitted = queueAt(slots)
    slots.resize(4)
    await Promise.resolve()
    expect(admitted).toEqual([1, 2, 3, 4])
  })

  it('never has fewer than one place', async () => {
    const slots = new Slots(3)
    slots.resize(-2)
    const admitted = queueAt(slots)
    await Promise.resolve()
    expect(admitted).toEqual([1])
  })
})
