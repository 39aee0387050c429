import type { LookupAddress } from 'node:dns'
import { reasonOf } from '../errors.ts'
import { directorySize } from './directory-size.ts'
import type { Gate } from './gate.ts'
import type { GitPlace } from './git-access.ts'
import type { Budget } from './budget.ts'
import { readGitUrl, type GitUrl } from './git-url.ts'
import { HostError, resolveHost } from './resolve-host.ts'
import { runGit, type GitEnd, type GitHost, type GitStart } from './run-git.ts'

/** A fetch that writes objects and the refs that are asked for, and nothing else. */
export const FETCH = ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--recurse-submodules=no'] as const

/** A server that git may dial, at addresses that were checked; a text says why it may not. */
export type GitServerAddress = { readonly url: GitUrl; readonly addresses: readonly LookupAddress[] }

/** The system's git within the limits of a run. */
export type GitTool = {
  /** Checks where a place is. Rejects only when aborted. */
  readonly locate: (place: GitPlace) => Promise<GitServerAddress | string>
  /** Works on a repository on disk, without network. */
  readonly work: (repository: string, args: readonly string[], stdin?: string) => Promise<GitEnd>
  /** Fetches into a repository on disk, as long as neither the repository nor the run comes to its limit. */
  readonly fetch: (call: GitCall) => Promise<GitEnd>
  /** Sends from a repository on disk. */
  readonly send: (call: GitCall) => Promise<GitEnd>
}

/** A talk of git with a server. */
export type GitCall = Pick<GitStart, 'args' | 'stdin' | 'config'> & {
  readonly repository: string
  readonly server: GitServerAddress
  /** How many HTTP requests it takes at least. */
  readonly requests: number
  /** What is left of the time for it. @default the limit of a talk */
  readonly timeoutMs?: number
}

/** What git may use. */
export type GitToolOptions = {
  readonly host: GitHost
  readonly gate: Gate
  readonly budget: Budget
  readonly allowPrivate: boolean
  /** The PEM file of the certificate authorities that git trusts; undefined: those of the system. */
  readonly certificates: () => string | undefined
  readonly maxRepositoryBytes: number
  readonly talkTimeoutMs: number
  readonly workTimeoutMs: number
}

/** A fetch that did not begin, since the run has no bytes left. */
const NOTHING_LEFT: GitEnd = { code: null, stdout: '', stderr: '', stopped: 'used up' }

/** Creates the tool. */
export function createGitTool(options: GitToolOptions): GitTool {
  const { host, gate, workTimeoutMs, maxRepositoryBytes } = options
  const fetches: Fetches = new Set()
  return {
    locate: (place) => locate(place, options),
    work: (repository, args, stdin = '') =>
      gate.run(repository, 1, () =>
        runGit({ args, repository, stdin, timeoutMs: workTimeoutMs, maxFileBytes: maxRepositoryBytes }, host),
      ),
    fetch: (call) => gate.run(call.server.url.host, 1, () => fetch(call, fetches, options)),
    send: (call) => gate.run(call.server.url.host, 1, () => talk(call, { maxFileBytes: maxRepositoryBytes }, options)),
  }
}

async function locate(place: GitPlace, { allowPrivate, host }: GitToolOptions): Promise<GitServerAddress | string> {
  const url = readGitUrl(place, allowPrivate)
  if (typeof url === 'string') return url
  try {
    return { url, addresses: await resolveHost(url, host.signal) }
  } catch (error) {
    if (error instanceof HostError) return reasonOf(error)
    throw error
  }
}

/** By how much the repositories have grown into which is being fetched. */
type Fetches = Set<() => number>

/**
 * The size on disk is looked at ten times a second; a single file cannot grow beyond the limits at all. Fetches beside
 * each other share what is left of the run. Whoever writes there dies without a word, so what was reached is seen from
 * the sizes.
 */
async function fetch(call: GitCall, fetches: Fetches, options: GitToolOptions): Promise<GitEnd> {
  const { budget, maxRepositoryBytes } = options
  const before = directorySize(call.repository)
  const grown = (): number => Math.max(0, directorySize(call.repository) - before)
  const leftOfRepository = (): number => maxRepositoryBytes - before - grown()
  const leftOfRun = (): number => budget.bytesLeft() - [...fetches].reduce((total, each) => total + each(), 0)
  const room = Math.min(leftOfRepository(), leftOfRun())
  if (room <= 0) return leftOfRepository() <= 0 ? { ...NOTHING_LEFT, stopped: 'too large' } : NOTHING_LEFT
  fetches.add(grown)
  try {
    const isOver = (): boolean => leftOfRepository() < 0 || leftOfRun() < 0
    const end = await talk(call, { maxFileBytes: room, isOver }, options)
    if (end.code === 0) return end
    if (leftOfRepository() <= 0) return { ...end, stopped: 'too large' }
    return leftOfRun() <= 0 ? { ...end, stopped: 'used up' } : end
  } finally {
    fetches.delete(grown)
    budget.countBytes(grown())
  }
}

function talk(
  call: GitCall,
  bounds: Pick<GitStart, 'maxFileBytes' | 'isOver'>,
  { host, budget, certificates, talkTimeoutMs }: GitToolOptions,
): Promise<GitEnd> {
  budget.countRequests(call.requests)
  const file = certificates()
  const config = [...(call.config ?? []), ...(file === undefined ? [] : [`http.sslCAInfo=${file}`])]
  return runGit(
    { ...call, ...bounds, config, timeoutMs: Math.min(call.timeoutMs ?? talkTimeoutMs, talkTimeoutMs) },
    host,
  )
}
