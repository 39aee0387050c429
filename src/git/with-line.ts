import { askGit, createAgent, type GitQuestion } from './git-http.ts'
import type { GitUrl } from './git-url.ts'
import { resolveHost } from './resolve-host.ts'

/** What a talk with a git server may take, and who counts it. */
export type LineOptions = {
  readonly timeoutMs: number
  readonly signal: AbortSignal
  readonly countRequest: () => void
  readonly countBytes: (bytes: number) => void
}

/** A line to one git server, whose address was checked. */
export type Line = {
  /** Asks and returns the answer, at most 4 MiB; rejects as `askGit` does. */
  readonly ask: (question: GitQuestion) => Promise<Buffer>
}

/** What is said over a line; `fail`: what it comes to when that goes wrong. */
export type Talk<T> = {
  readonly say: (line: Line) => Promise<T>
  readonly fail: (error: unknown) => T
}

// 10,000 refs with names of 300 characters.
const MAX_BYTES = 4 * 1024 ** 2

/** Talks with a git server over a line that ends with the talk. Rejects only when the signal aborts. */
export async function withLine<T>(url: GitUrl, { say, fail }: Talk<T>, options: LineOptions): Promise<T> {
  const { timeoutMs, signal } = options
  const ending = new AbortController()
  const interrupt = (): void => ending.abort(signal.reason)
  // Its own timer: AbortSignal.timeout() behind AbortSignal.any() may be garbage-collected before it fires (Node 20).
  const timer = setTimeout(() => ending.abort(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
  signal.addEventListener('abort', interrupt)
  if (signal.aborted) interrupt()
  const agent = createAgent(url)
  try {
    const addresses = await resolveHost(url, ending.signal)
    const limits = { addresses, agent, maxBytes: MAX_BYTES, signal: ending.signal, count: options.countBytes }
    const ask = (question: GitQuestion): Promise<Buffer> => {
      options.countRequest()
      return askGit(url, question, limits)
    }
    return await say({ ask })
  } catch (error) {
    if (signal.aborted) throw signal.reason
    return fail(ending.signal.aborted ? ending.signal.reason : error)
  } finally {
    agent.destroy()
    clearTimeout(timer)
    signal.removeEventListener('abort', interrupt)
  }
}
