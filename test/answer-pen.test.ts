import { describe, expect, it, vi } from 'vitest'

import { AnswerPen } from '../src/publish/answer-pen.ts'

/** A pen, and the groups that it has written. */
function newPen() {
  const groups: number[] = []
  let count = 0
  const pen = new AnswerPen((work) => {
    count = 0
    work()
    groups.push(count)
  })
  return { pen, groups, add: (times: number) => Array.from({ length: times }, () => pen.add(() => (count += 1))) }
}

describe('answers reach the disk', () => {
  it('as soon as 64 wait, in one transaction', () => {
    const { groups, add } = newPen()
    add(63)
    expect(groups).toEqual([])
    add(1)
    expect(groups).toEqual([64])
  })

  it('250 ms after the first of them', () => {
    vi.useFakeTimers()
    try {
      const { groups, add } = newPen()
      add(1)
      vi.advanceTimersByTime(200)
      add(1)
      expect(groups).toEqual([])
      vi.advanceTimersByTime(50)
      expect(groups).toEqual([2])
    } finally {
      vi.useRealTimers()
    }
  })

  it('at the end, and nothing is written then when nothing waits', () => {
    const { pen, groups, add } = newPen()
    add(3)
    pen.flush()
    pen.flush()
    expect(groups).toEqual([3])
  })

  it('or nobody can add any more: one failure is the failure of all', () => {
    let isFull = true
    const pen = new AnswerPen((work) => {
      if (isFull) throw new Error('disk full')
      work()
    })
    const add = (): void => pen.add(() => undefined)
    for (let count = 0; count < 63; count += 1) add()
    expect(add).toThrow('disk full')
    isFull = false
    expect(add).toThrow('disk full')
  })

  it('or whoever brings the next one hears that they do not', () => {
    vi.useFakeTimers()
    try {
      const pen = new AnswerPen(() => {
        throw new Error('disk full')
      })
      pen.add(() => undefined)
      vi.advanceTimersByTime(250)
      expect(() => pen.add(() => undefined)).toThrow('disk full')
      expect(() => pen.flush()).toThrow('disk full')
    } finally {
      vi.useRealTimers()
    }
  })
})
