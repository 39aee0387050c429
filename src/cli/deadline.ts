import { OutOfTimeError } from '../errors.ts'

/** Ends a run when its time is up. */
export type Deadline = { readonly signal: AbortSignal; dispose(): void }

/** Returns a signal that aborts after this duration with an OutOfTimeError; without a duration it never does. */
export function startDeadline(durationMs: number | undefined): Deadline {
  const controller = new AbortController()
  if (durationMs === undefined) return { signal: controller.signal, dispose: () => undefined }
  const timer = setTimeout(() => controller.abort(new OutOfTimeError()), durationMs)
  return { signal: controller.signal, dispose: () => clearTimeout(timer) }
}
