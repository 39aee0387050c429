import { reasonOf } from '../errors.ts'

/**
 * Runs a task for each value, as many at a time as `atOnce` says when one starts, ends, or calls `startMore` because
 * more may suit now. Rejects with the first error and starts nothing more then; what runs is not waited for.
 */
export function sideBySide<T>(
  values: Iterable<T>,
  atOnce: () => number,
  task: (value: T, startMore: () => void) => Promise<void>,
): Promise<void> {
  const queue = values[Symbol.iterator]()
  return new Promise((resolve, reject) => {
    let running = 0
    let isOver = false
    const fail = (error: unknown): void => {
      isOver = true
      reject(error instanceof Error ? error : new Error(reasonOf(error)))
    }
    const startNext = (): void => {
      const next = queue.next()
      isOver = next.done === true
      if (next.done === true) return
      running += 1
      task(next.value, start).then(end, fail)
    }
    const start = (): void => {
      try {
        while (!isOver && running < atOnce()) startNext()
      } catch (error) {
        fail(error)
      }
      if (isOver && running === 0) resolve()
    }
    const end = (): void => {
      running -= 1
      start()
    }
    start()
  })
}
