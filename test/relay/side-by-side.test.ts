import { describe, expect, it } from 'vitest'

import { sideBySide, workAhead } from '../../src/relay/side-by-side.ts'

/** Tasks that end when they are told to. */
function startTasks(count: number, atOnce: () => number) {
  const started: number[] = []
  const ends = new Map<number, () => void>()
  let startMore = (): void => undefined
  const values = Array.from({ length: count }, (_, index) => index)
  const done = sideBySide(values, atOnce, (value, more) => {
    started.push(value)
    startMore = more
    return new Promise((resolve) => ends.set(value, resolve))
  })
  const end = async (value: number): Promise<void> => {
    ends.get(value)?.()
    await Promise.resolve()
  }
  return { started, end, done, startMore: () => startMore() }
}

describe('sideBySide', () => {
  it('runs as many at a time as it may, in order', async () => {
    const { started, end } = startTasks(5, () => 2)
    expect(started).toEqual([0, 1])
    await end(1)
    expect(started).toEqual([0, 1, 2])
  })

  it('starts more when told that more may run, and no more while there are too many', async () => {
    let atOnce = 1
    const { started, end, startMore } = startTasks(5, () => atOnce)
    atOnce = 3
    startMore()
    expect(started).toEqual([0, 1, 2])
    atOnce = 1
    await end(0)
    expect(started).toEqual([0, 1, 2])
  })

  it('resolves when all have ended, and at once without any', async () => {
    const { end, done } = startTasks(2, () => 2)
    await end(0)
    await end(1)
    await done
    await sideBySide(
      [],
      () => 1,
      async () => undefined,
    )
  })

  it('rejects with the error of a task, and starts nothing after it', async () => {
    const started: number[] = []
    const running = sideBySide(
      [1, 2, 3],
      () => 1,
      async (value) => {
        started.push(value)
        throw new Error(`task ${value}`)
      },
    )
    await expect(running).rejects.toThrow('task 1')
    expect(started).toEqual([1])
  })

  it('rejects with an error of what yields the values', async () => {
    function* failing(): Generator<number> {
      yield 1
      throw new Error('no more')
    }
    await expect(
      sideBySide(
        failing(),
        () => 1,
        async () => undefined,
      ),
    ).rejects.toThrow('no more')
  })
})

/** Works on so many values, at most two ahead, if there is room; tasks end when they are told to. */
function workOn(count: number, hasRoom?: (atWork: readonly number[]) => boolean) {
  const started: number[] = []
  const ends = new Map<number, { end: () => void; fail: () => void }>()
  const values = Array.from({ length: count }, (_, index) => index)
  const results = workAhead(values, { count: 2, ...(hasRoom !== undefined && { hasRoom }) }, (value) => {
    started.push(value)
    return new Promise<string>((resolve, reject) =>
      ends.set(value, { end: () => resolve(`${value}!`), fail: () => reject(new Error(`not ${value}`)) }),
    )
  })
  return { started, results, ends }
}

describe('workAhead', () => {
  it('works on as many values as it may beside the one that is wanted, and yields results in order', async () => {
    const { started, results, ends } = workOn(5)
    const first = results.next()
    expect(started).toEqual([0, 1, 2])
    ends.get(1)?.end()
    ends.get(0)?.end()
    expect((await first).value).toEqual([0, '0!'])
    expect(started).toEqual([0, 1, 2])
    expect((await results.next()).value).toEqual([1, '1!'])
    expect(started).toEqual([0, 1, 2, 3])
  })

  it('begins no more where there is no room beside those at work, but always one', async () => {
    const beside: (readonly number[])[] = []
    const { started, results, ends } = workOn(3, (atWork) => {
      beside.push(atWork)
      return atWork.length < 2 && !atWork.includes(1)
    })
    const first = results.next()
    expect([started, beside]).toEqual([
      [0, 1],
      [[0], [0, 1]],
    ])
    ends.get(0)?.end()
    await first
    const second = results.next()
    expect(started).toEqual([0, 1])
    ends.get(1)?.end()
    await second
    const third = results.next()
    expect(started).toEqual([0, 1, 2])
    ends.get(2)?.end()
    expect((await third).value).toEqual([2, '2!'])
  })

  it('throws the error of a task at its turn, when the others at work have ended', async () => {
    const { started, results, ends } = workOn(5)
    const first = results.next()
    ends.get(1)?.fail()
    ends.get(0)?.end()
    expect((await first).value).toEqual([0, '0!'])
    let isOver = false
    const second = results.next().finally(() => (isOver = true))
    second.catch(() => undefined)
    await new Promise((resolve) => setImmediate(resolve))
    expect(isOver).toBe(false)
    for (const value of [2, 3]) ends.get(value)?.end()
    await expect(second).rejects.toThrow('not 1')
    expect(started).toEqual([0, 1, 2, 3])
  })

  it('ends where there is nothing to work on', async () => {
    expect(await workOn(0).results.next()).toEqual({ done: true, value: undefined })
  })
})
