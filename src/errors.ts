/** A failure that ends the run: `message` says what was being done to what, `hint` what to do next. */
export class SyncError extends Error {
  readonly hint: string | undefined

  constructor(message: string, options: { cause?: unknown; hint?: string } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause })
    this.name = 'SyncError'
    this.hint = options.hint
  }
}

/** Why nothing more was read or sent when the time was up. */
export const OUT_OF_TIME = 'out of time (--max-duration)'

/** Why an event that `serve` offers is not settled when its time is up. */
export const NOT_TAKEN = 'not taken from serve before the time was up (--max-duration)'

/** The time of the run is up (`--max-duration`): reading stops where it is, and nothing more is sent. */
export class OutOfTimeError extends SyncError {
  constructor() {
    super(OUT_OF_TIME)
    this.name = 'OutOfTimeError'
  }
}

/** Why nothing more was read or sent after a signal. */
export const INTERRUPTED = 'interrupted'

/** The operator ended the run by a signal: the reason of the run's `AbortSignal`. */
export class InterruptedError extends Error {
  /** 130 or 143. */
  readonly exitCode: number

  constructor(exitCode: number) {
    super(INTERRUPTED)
    this.name = 'InterruptedError'
    this.exitCode = exitCode
  }
}

/** Wrong usage or configuration (exit 2): every problem found, one line each. */
export class UsageError extends Error {
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.name = 'UsageError'
    this.problems = problems
  }
}

/** Another run holds the lock of this target (exit 4). */
export class LockedError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'LockedError'
  }
}

/**
 * A relay stopped answering while the run needed an answer. If it is the target, the run ends partial (exit 3); nothing
 * is lost.
 */
export class LostRelayError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'LostRelayError'
  }
}

/**
 * The spool has no room for the events of a filter: that filter is not drained, and nothing is given up to make room.
 */
export class SpoolFullError extends Error {
  constructor() {
    super('the spool is full: nothing more can be kept on disk until parked events are settled')
    this.name = 'SpoolFullError'
  }
}

/** The message of anything thrown, in one line. */
export function reasonOf(thrown: unknown): string {
  if (thrown instanceof AggregateError && thrown.errors.length > 0) return reasonOf(thrown.errors[0])
  const message = thrown instanceof Error ? thrown.message || thrown.name : String(thrown)
  return message.replaceAll(/\s+/g, ' ').trim()
}
