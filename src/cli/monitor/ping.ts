import { reasonOf } from '../../errors.ts'

/** Tells a watchdog how a run goes. Neither verb throws: the first failure is one line to `warn`. */
export type Ping = {
  /** Tells that the run begins. Does not wait for the answer. */
  start(): void
  /** Tells how the run ended: to the URL itself for exit code 0, else to `/<exit>` below it. */
  end(exit: number, verdict: string): Promise<void>
}

const TIMEOUT_MS = 5_000
const MAX_BODY = 10_000

/**
 * Returns a ping for an http(s) URL, by the convention of healthchecks. Redirects are not followed: the body and the
 * secret in the path are for this server only.
 */
export function createPing(url: string, warn: (line: string) => void): Ping {
  let hasWarned = false
  const say = async (path: string, body: string): Promise<void> => {
    const problem = await post(below(url, path), body.slice(0, MAX_BODY))
    if (problem !== undefined && !hasWarned) warn(`warning: --ping to ${shownUrl(url)} failed: ${problem}`)
    hasWarned ||= problem !== undefined
  }
  let started: Promise<void> = Promise.resolve()
  return {
    start: () => void (started = say('/start', '')),
    async end(exit, verdict) {
      // In order, or the run would seem to begin after its end.
      await started
      await say(exit === 0 ? '' : `/${exit}`, verdict)
    },
  }
}

/** The path is a secret: who knows it can say that all is well. */
function shownUrl(url: string): string {
  const { protocol, host } = new URL(url)
  return `${protocol}//${host}/…`
}

function below(url: string, path: string): URL {
  const place = new URL(url)
  if (path !== '') place.pathname = place.pathname.replace(/\/$/, '') + path
  return place
}

/** Returns what went wrong, if anything did. */
async function post(url: URL, body: string): Promise<string | undefined> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    const response = await fetch(url, { method: 'POST', body, redirect: 'manual', signal })
    await response.body?.cancel()
    return response.ok ? undefined : `it answered ${response.status}`
  } catch (error) {
    if (error instanceof Error && error.name === 'TimeoutError') return `no answer within ${TIMEOUT_MS / 1000} s`
    // `fetch failed` says nothing; its cause does.
    return reasonOf(error instanceof Error && error.cause !== undefined ? error.cause : error)
  }
}
