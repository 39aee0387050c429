const MAX_DELAY_MS = 8_000

/**
 * How long to wait before attempt number `attempt` (from 1): doubles from `baseMs` up to 8 s; the upper half is jitter.
 * `random` is in [0, 1).
 */
export function backoffMs(attempt: number, baseMs: number, random: () => number): number {
  const ceiling = Math.min(MAX_DELAY_MS, baseMs * 2 ** (attempt - 1))
  return ceiling * (0.5 + random() / 2)
}

/** Resolves after `delayMs`, or at once when the signal aborts. Leaves no timer or listener behind. */
export function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const wake = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', wake)
      resolve()
    }
    const timer = setTimeout(wake, delayMs)
    signal.addEventListener('abort', wake)
  })
}
