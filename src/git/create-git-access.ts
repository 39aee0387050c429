import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createBudget, type Budget } from './budget.ts'
import { takeSlot, type TakeLock } from './cache-slot.ts'
import { writeCertificates } from './certificates.ts'
import { createGate } from './gate.ts'
import type { GitAccess, GitPlace } from './git-access.ts'
import { createGitTool } from './git-tool.ts'
import { requireGit } from './git-version.ts'
import { readGitUrl } from './git-url.ts'
import { listRefs } from './list-refs.ts'
import { probeObjects } from './probe-object.ts'
import { proveClone } from './prove-clone.ts'
import { createShelf, type Shelf } from './shelf.ts'
import type { LineOptions } from './with-line.ts'
import { openWorkshop } from './workshop.ts'

/** What access to git servers is made of. */
export type GitAccessOptions = {
  /** A directory for repositories on disk; it is created, and may be deleted at any time. */
  readonly cacheDirectory: string
  readonly takeLock: TakeLock
  /** Where programs are found (`PATH`). */
  readonly path: string
  /** A PEM file of further certificate authorities that this process trusts, and so git (`NODE_EXTRA_CA_CERTS`). */
  readonly extraCertificates?: string | undefined
  /** Bytes of one repository on disk, exact for a file. */
  readonly maxRepositoryBytes: number
  /** Bytes read in a run: nothing is fetched beyond it. */
  readonly maxRunBytes: number
  /** What is kept on disk between runs. */
  readonly maxCacheBytes: number
  /** Whether strangers may name private addresses. */
  readonly allowPrivate: boolean
  readonly signal: AbortSignal
  readonly nowMs: () => number
  /** Time for one listing. @default 30 s */
  readonly listTimeoutMs?: number
  /** Time for one talk of git with a server. @default 10 min */
  readonly talkTimeoutMs?: number
}

const LIST_TIMEOUT_MS = 30_000
const TALK_TIMEOUT_MS = 10 * 60_000
const WORK_TIMEOUT_MS = 10 * 60_000
const LISTINGS_AT_ONCE = 8
/** The operator's own server bears more than those of strangers. */
const LISTINGS_PER_NAMED_HOST = 4
const LISTINGS_PER_HOST = 2
const PROGRAMS_AT_ONCE = 2

/** Access to git servers that its owner closes at the end. */
export type OwnGitAccess = GitAccess & {
  /** Throws SyncError unless the system has a git that is new enough: listing refs needs none, all else does. */
  readonly requireTool: () => Promise<void>
  readonly close: () => void
}

/** Creates access to git servers. Nothing is dialled, started or written before it is asked for; close it at the end. */
export function createGitAccess(options: GitAccessOptions): OwnGitAccess {
  const { signal, path, allowPrivate, nowMs } = options
  const host = { path, signal }
  const budget = createBudget(options.maxRunBytes)
  const disk = createDisk(options)
  const tool = createGitTool({
    host,
    gate: createGate(PROGRAMS_AT_ONCE),
    budget,
    allowPrivate,
    certificates: () => disk.certificates(),
    maxRepositoryBytes: options.maxRepositoryBytes,
    talkTimeoutMs: options.talkTimeoutMs ?? TALK_TIMEOUT_MS,
    workTimeoutMs: WORK_TIMEOUT_MS,
  })
  const inquiry = createInquiry(options, budget)
  return {
    ...inquiry,
    async openWorkshop(address) {
      await disk.ready()
      return openWorkshop(disk.shelf().take(address), tool, nowMs)
    },
    async proveClone(place) {
      await disk.ready()
      const { directory, putBack } = disk.shelf().takeTemporary()
      try {
        return await proveClone(place, { tool, directory, listRefs: inquiry.listRefs })
      } finally {
        putBack()
      }
    },
    costs: () => budget.costs(),
    requireTool: () => disk.ready(),
    close: () => disk.close(),
  }
}

/** What is asked of servers without the system's git, all through one gate. */
function createInquiry(options: GitAccessOptions, budget: Budget): Pick<GitAccess, 'listRefs' | 'probe'> {
  const { signal, allowPrivate, listTimeoutMs: timeoutMs = LIST_TIMEOUT_MS } = options
  const gate = createGate(LISTINGS_AT_ONCE)
  const countRequest = (): void => budget.countRequests(1)
  const countBytes = (bytes: number): void => budget.countBytes(bytes)
  const line: LineOptions = { timeoutMs, signal, countRequest, countBytes }
  const perHost = ({ isNamed }: GitPlace): number => (isNamed ? LISTINGS_PER_NAMED_HOST : LISTINGS_PER_HOST)
  return {
    async listRefs(place) {
      const url = readGitUrl(place, allowPrivate)
      if (typeof url === 'string') return { type: 'not asked', reason: url }
      return gate.run(url.host, perHost(place), () => listRefs(url, line))
    },
    async probe(place, ids) {
      const url = readGitUrl(place, allowPrivate)
      if (typeof url === 'string') return new Map()
      return gate.run(url.host, perHost(place), () => probeObjects(url, ids, line))
    },
  }
}

/** The system's git and this run's part of the cache, looked for once and only when needed. */
function createDisk({ cacheDirectory, takeLock, maxCacheBytes, path, extraCertificates, signal }: GitAccessOptions) {
  let found: Promise<void> | undefined
  let bundle: string | undefined
  let open: { readonly shelf: Shelf; readonly release: () => void } | undefined
  const take = (): Shelf => {
    const slot = takeSlot(cacheDirectory, takeLock)
    open = { shelf: createShelf(slot, maxCacheBytes), release: slot.release }
    return open.shelf
  }
  const shelf = (): Shelf => open?.shelf ?? take()
  const certificates = (): string | undefined => {
    if (extraCertificates === undefined) return undefined
    // The cache may be deleted at any time.
    if (bundle !== undefined && existsSync(bundle)) return bundle
    bundle = join(shelf().takeTemporary().directory, 'certificates.pem')
    writeCertificates(bundle, extraCertificates)
    return bundle
  }
  return {
    shelf,
    certificates,
    // What cannot be read shows at the start.
    ready: () => (found ??= requireGit({ path, signal }).then(() => void certificates())),
    close: () => open?.release(),
  }
}
