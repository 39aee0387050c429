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

/** At most `count` values that follow are at work; `hasRoom` says whether one more may begin beside those. */
type Ahead<T> = { readonly count: number; readonly hasRoom?: (atWork: readonly T[]) => boolean }

/**
 * Yields each value with the result of its task, in order, while the tasks of values that follow are at work. Throws
 * the error of a task at its turn; then, or when nobody wants more, waits for those at work.
 */
export async function* workAhead<T, R>(
  values: Iterable<T>,
  { count, hasRoom = () => true }: Ahead<T>,
  task: (value: T) => Promise<R>,
): AsyncGenerator<readonly [value: T, result: R]> {
  const queue = values[Symbol.iterator]()
  const begun: { readonly value: T; readonly result: Promise<R> }[] = []
  const begin = (): boolean => {
    const next = queue.next()
    if (next.done === true) return false
    const result = task(next.value)
    // Whoever takes it gets the error.
    result.catch(() => undefined)
    begun.push({ value: next.value, result })
    return true
  }
  const beginSome = (): void => {
    while (begun.length <= count && (begun.length === 0 || hasRoom(begun.map(({ value }) => value))) && begin());
  }
  try {
    for (beginSome(); begun.length > 0; beginSome()) {
      const [first] = begun
      if (first !== undefined) yield [first.value, await first.result]
      begun.shift()
    }
  } finally {
    await Promise.allSettled(begun.map(({ result }) => result))
  }
}
