import { setMaxListeners } from 'node:events'
import { InterruptedError } from '../errors.ts'

/** Ends a run on SIGINT or SIGTERM: the first asks it to stop, a second ends the process at once. */
export type Interruption = {
  readonly signal: AbortSignal
  /** 130 or 143 after a signal. */
  exitCode(): number | undefined
  dispose(): void
}

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const

/** Listens for the signals of this process until disposed. */
export function listenForInterruption(): Interruption {
  const controller = new AbortController()
  setMaxListeners(0, controller.signal)
  let code: number | undefined
  const listeners = (['SIGINT', 'SIGTERM'] as const).map((name) => {
    const listener = (): void => {
      if (code !== undefined) process.exit(EXIT_CODES[name])
      code = EXIT_CODES[name]
      controller.abort(new InterruptedError(code))
    }
    process.on(name, listener)
    return () => process.off(name, listener)
  })
  return {
    signal: controller.signal,
    exitCode: () => code,
    dispose: () => listeners.forEach((dispose) => dispose()),
  }
}
