import { createBareRepository } from './bare-repository.ts'
import { describeEnd, NO_SHA256 } from './describe-end.ts'
import type { CloneProof, GitPlace, Listing } from './git-access.ts'
import { FETCH, type GitTool } from './git-tool.ts'
import type { GitEnd } from './run-git.ts'
import type { ListedRefs } from './read-listing.ts'

const REFSPECS = ['heads', 'tags', 'nostr'].map((name) => `+refs/${name}/*:refs/${name}/*`)
const MAX_MISSING = 10
/** The line went, or the server never came to the objects: this says nothing of them. */
const IS_OF_THE_LINE = /unable to access|RPC failed|curl \d|hung up|returned error|transfer closed/i
const IS_OF_OBJECTS = /corruption|missing|bad object|could not read|unable to read|did not send all|not our ref/i

/** How a whole clone is made and checked. */
export type ProofOptions = {
  readonly tool: GitTool
  /** An empty directory. */
  readonly directory: string
  readonly listRefs: (place: GitPlace) => Promise<Listing>
}

/** Fetches every head, tag and `refs/nostr/` as a clone does, and checks that each reaches all that it names. */
export async function proveClone(place: GitPlace, { tool, directory, listRefs }: ProofOptions): Promise<CloneProof> {
  const listing = await listRefs(place)
  if (listing.type !== 'refs') return notProved(`${listing.type}: ${listing.reason}`)
  if (listing.format !== 'sha1') return notProved(NO_SHA256)
  const server = await tool.locate(place)
  if (typeof server === 'string') return notProved(server)
  await createBareRepository(directory, tool)
  const cloned = await tool.fetch({
    repository: directory,
    server,
    args: [...FETCH, '--', server.url.href, ...REFSPECS],
    // Old repositories have objects that a strict check refuses and a clone takes: this is about what can be cloned.
    config: ['transfer.fsckObjects=false'],
    requests: 3,
  })
  if (cloned.code !== 0) return judge(cloned, listing)
  const checked = await tool.work(directory, ['fsck', '--connectivity-only', '--no-dangling', '--no-progress'])
  return checked.code === 0 ? { type: 'sound' } : broken(checked, listing)
}

function judge(end: GitEnd, listing: ListedRefs): CloneProof {
  if (end.stopped !== null) return notProved(describeEnd(end))
  if (IS_OF_THE_LINE.test(end.stderr) && !IS_OF_OBJECTS.test(end.stderr)) return notProved(describeEnd(end))
  return broken(end, listing)
}

/** Git names what it misses; the refs themselves are not missing. */
function broken(end: GitEnd, { refs }: ListedRefs): CloneProof {
  const tips = new Set(refs.values())
  const named = `${end.stderr}\n${end.stdout}`.match(/\b[0-9a-f]{40}\b/g) ?? []
  const missing = [...new Set(named)].filter((id) => !tips.has(id)).slice(0, MAX_MISSING)
  return { type: 'broken', reason: describeEnd(end), missing }
}

function notProved(reason: string): CloneProof {
  return { type: 'not proved', reason }
}
