import { reasonOf } from '../errors.ts'
import type { Listing } from './git-access.ts'
import { askGit, createAgent, GitHttpError, TooLongError, type GitHttpOptions } from './git-http.ts'
import type { GitUrl } from './git-url.ts'
import { readPackets } from './pkt-line.ts'
import {
  readAdvertisement,
  readListing,
  ServerSaysError,
  TooManyRefsError,
  writeListRequest,
  type ListedRefs,
} from './read-listing.ts'
import { HostError, resolveHost } from './resolve-host.ts'

/** What a listing may take, and who counts it. */
export type ListOptions = {
  readonly timeoutMs: number
  readonly signal: AbortSignal
  readonly countRequest: () => void
  readonly countBytes: (bytes: number) => void
}

// 10,000 refs with names of 300 characters.
const MAX_BYTES = 4 * 1024 ** 2
const SAYS_ABSENT = /not found|does ?n['o]t exist|no such|not exist/i

/** Lists the refs of a repository. Rejects only when the signal aborts. */
export async function listRefs(url: GitUrl, options: ListOptions): Promise<Listing> {
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
    return await list(url, { addresses, agent }, { ...options, signal: ending.signal })
  } catch (error) {
    if (signal.aborted) throw signal.reason
    return describeFailure(ending.signal.aborted ? ending.signal.reason : error)
  } finally {
    agent.destroy()
    clearTimeout(timer)
    signal.removeEventListener('abort', interrupt)
  }
}

type Line = Pick<GitHttpOptions, 'addresses' | 'agent'>

async function list(url: GitUrl, line: Line, options: ListOptions): Promise<ListedRefs> {
  const { signal, countRequest, countBytes: count } = options
  const limits: GitHttpOptions = { ...line, maxBytes: MAX_BYTES, signal, count }
  countRequest()
  const path = '/info/refs?service=git-upload-pack'
  const first = await askGit(url, { path, expects: 'application/x-git-upload-pack-advertisement' }, limits)
  const advertised = readAdvertisement(readPackets(first))
  if (advertised.version === 1) return advertised.listed
  countRequest()
  const body = writeListRequest(advertised.capabilities)
  const expects = 'application/x-git-upload-pack-result'
  const answer = await askGit(url, { path: '/git-upload-pack', body, expects }, limits)
  return readListing(readPackets(answer), advertised.capabilities)
}

function describeFailure(error: unknown): Listing {
  const reason = reasonOf(error).slice(0, 300)
  if (error instanceof HostError && error.isRefused) return { type: 'not asked', reason }
  if (error instanceof TooLongError || error instanceof TooManyRefsError) return { type: 'not asked', reason }
  const isAbsent =
    error instanceof GitHttpError
      ? error.status === 404 || error.status === 410
      : error instanceof ServerSaysError && SAYS_ABSENT.test(reason)
  return { type: isAbsent ? 'no repository' : 'unreachable', reason }
}
