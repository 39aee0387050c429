import { setTimeout as sleep } from 'node:timers/promises'

/** How long and how often `waitFor` looks. */
export type WaitOptions = {
  /** @default 5000 */
  readonly timeoutMs?: number
  /** @default 10 */
  readonly everyMs?: number
  /** What is waited for, for the message. @default the source of the condition */
  readonly what?: string
}

/** Polls until the condition returns something truthy and returns that; throws when `timeoutMs` passed before. */
export async function waitFor<T>(condition: () => T | Promise<T>, options: WaitOptions = {}): Promise<NonNullable<T>> {
  const { timeoutMs = 5_000, everyMs = 10, what = condition.toString() } = options
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const value = await condition()
    if (value) return value
    if (Date.now() >= deadline) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`)
    await sleep(everyMs)
  }
}
