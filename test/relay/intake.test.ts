import { describe, expect, it } from 'vitest'

import { Backlog } from '../../src/relay/paging/backlog.ts'
import { Intake } from '../../src/relay/paging/intake.ts'

const MIB = 1024 * 1024

/** An intake whose pages are taken in, or fail to be, when they are told to. */
function startIntake(backlog: Backlog) {
  const ends: { end: () => void; fail: () => void }[] = []
  const sink = (): Promise<void> =>
    new Promise((resolve, reject) => ends.push({ end: resolve, fail: () => reject(new Error('no room')) }))
  return { intake: new Intake(sink, backlog), ends }
}

/** Whether it has ended by now, and how. */
async function stateOf(taking: Promise<void>): Promise<string> {
  const settled = taking.then(
    () => 'ready for the next',
    ({ message }: Error) => message,
  )
  return Promise.race([settled, new Promise<string>((resolve) => setImmediate(() => resolve('waits')))])
}

describe('Intake', () => {
  it('is ready for the next page while one is taken in, and for no third', async () => {
    const { intake, ends } = startIntake(new Backlog())
    expect(await stateOf(intake.take([], MIB))).toBe('ready for the next')
    const second = intake.take([], MIB)
    expect(await stateOf(second)).toBe('waits')
    ends[0]?.end()
    expect(await stateOf(second)).toBe('ready for the next')
  })

  it('waits for its own page while the pages of all filters together take more than 4 MiB', async () => {
    const backlog = new Backlog()
    const [one, other] = [startIntake(backlog), startIntake(backlog)]
    expect(await stateOf(one.intake.take([], 3 * MIB))).toBe('ready for the next')
    const large = other.intake.take([], 2 * MIB)
    expect(await stateOf(large)).toBe('waits')
    other.ends[0]?.end()
    expect(await stateOf(large)).toBe('ready for the next')
    expect(await stateOf(other.intake.take([], MIB))).toBe('ready for the next')
  })

  it('leaves nothing in the backlog when a page cannot be taken in, nor the one that waits behind it', async () => {
    const backlog = new Backlog()
    const { intake, ends } = startIntake(backlog)
    await intake.take([], 2 * MIB)
    const second = intake.take([], 2 * MIB)
    ends[0]?.fail()
    expect([await stateOf(second), await stateOf(intake.end())]).toEqual(['no room', 'no room'])
    expect(await stateOf(startIntake(backlog).intake.take([], 4 * MIB))).toBe('ready for the next')
  })
})
