import { OutOfTimeError } from '../errors.ts'

/** What ends a run when its time is up. */
export type Deadline = { readonly signal: AbortSignal; dispose(): void }

/** A signal that aborts after so long, with an OutOfTimeError; never without a duration. */
export function startDeadline(durationMs: number | undefined): Deadline {
  const controller = new AbortController()
  if (durationMs === undefined) return { signal: controller.signal, dispose: () => undefined }
  const timer = setTimeout(() => controller.abort(new OutOfTimeError()), durationMs)
  return { signal: controller.signal, dispose: () => clearTimeout(timer) }
}
