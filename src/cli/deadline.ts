/** What ends a run when its time is up. */
export type Deadline = { readonly signal: AbortSignal; dispose(): void }

const REASON = 'out of time (--max-duration)'

/** A signal that aborts after so long, with a reason for the report; never without a duration. */
export function startDeadline(durationMs: number | undefined): Deadline {
  const controller = new AbortController()
  if (durationMs === undefined) return { signal: controller.signal, dispose: () => undefined }
  const timer = setTimeout(() => controller.abort(REASON), durationMs)
  return { signal: controller.signal, dispose: () => clearTimeout(timer) }
}
