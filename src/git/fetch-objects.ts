import { removeLeftovers } from './bare-repository.ts'
import { describeEnd, NO_SHA256 } from './describe-end.ts'
import { findIncomplete } from './find-incomplete.ts'
import type { Fetched, GitPlace, ObjectId } from './git-access.ts'
import { FETCH, type GitServerAddress, type GitTool } from './git-tool.ts'
import { isObjectId } from './object-id.ts'

/** What is fetched from where, into which bare repository. */
export type ObjectsWanted = {
  readonly directory: string
  readonly from: GitPlace
  readonly ids: readonly ObjectId[]
  readonly advertised: ReadonlySet<ObjectId>
}

type Source = {
  readonly directory: string
  readonly server: GitServerAddress
  /** When the time for this server is up. */
  readonly untilMs: number
}

/** Time for one server and one repository, however many questions it takes. */
const MAX_MS = 15 * 60_000
/** A server that refuses them together is asked for so many one by one. */
const MAX_ONE_BY_ONE = 200
const COMPLETE: Fetched = { reason: null, isTooLarge: false }
/** The server has no such object, or does not give it: the others may be had. */
const IS_ABOUT_ONE = /not our ref|unadvertised object|bad object|no such remote ref|couldn't find remote ref/i
/** Git takes such a repository without complaint, and keeps no ref of it. */
const IS_SHALLOW = /because shallow roots are not allowed/

/** Fetches objects with all that they reach; those that are here already are not asked for. */
export async function fetchObjects(wanted: ObjectsWanted, tool: GitTool, nowMs: () => number): Promise<Fetched> {
  const { directory, from, ids, advertised } = wanted
  if (ids.some((id) => isObjectId(id, 'sha256'))) return failed(NO_SHA256)
  if (!ids.every((id) => isObjectId(id))) return failed('something was asked for that is no object id')
  const server = await tool.locate(from)
  if (typeof server === 'string') return failed(server)
  const source: Source = { directory, server, untilMs: nowMs() + MAX_MS }
  const first = await fetchMissing(
    source,
    ids.filter((id) => advertised.has(id)),
    { tool, nowMs },
  )
  if (first.isTooLarge) return first
  const rest = await fetchMissing(
    source,
    ids.filter((id) => !advertised.has(id)),
    { tool, nowMs },
  )
  return { reason: first.reason ?? rest.reason, isTooLarge: rest.isTooLarge }
}

type Means = { readonly tool: GitTool; readonly nowMs: () => number }

/** All together, since one question is cheaper than many; one by one if the server gives none because of one. */
async function fetchMissing(source: Source, ids: readonly ObjectId[], means: Means): Promise<Fetched> {
  const missing = await findIncomplete(source.directory, ids, means.tool)
  if (missing.length === 0) return COMPLETE
  const together = await fetchTogether(source, missing, means)
  if (together.reason === null || !together.isAboutOne || missing.length === 1) return together
  let reason: string | null = null
  for (const id of missing.slice(0, MAX_ONE_BY_ONE)) {
    const alone = await fetchTogether(source, [id], means)
    if (alone.reason !== null && !alone.isAboutOne) return alone
    reason ??= alone.reason
  }
  const isCut = missing.length > MAX_ONE_BY_ONE
  return {
    reason: reason ?? (isCut ? `only ${MAX_ONE_BY_ONE} objects were asked for one by one` : null),
    isTooLarge: false,
  }
}

async function fetchTogether(
  { directory, server, untilMs }: Source,
  ids: readonly ObjectId[],
  { tool, nowMs }: Means,
): Promise<Fetched & { readonly isAboutOne: boolean }> {
  const timeoutMs = untilMs - nowMs()
  if (timeoutMs <= 0) return { ...failed('it took too long'), isAboutOne: false }
  const end = await tool.fetch({
    repository: directory,
    server,
    args: [...FETCH, '--stdin', '--', server.url.href],
    // A ref of each: what is here is not sent again.
    stdin: ids.map((id) => `+${id}:refs/workshop/${id}\n`).join(''),
    requests: 2,
    timeoutMs,
  })
  if (end.code === 0 && !IS_SHALLOW.test(end.stderr)) return { ...COMPLETE, isAboutOne: false }
  removeLeftovers(directory)
  return {
    reason: describeEnd(end),
    isTooLarge: end.stopped === 'too large' || end.stopped === 'used up',
    isAboutOne: IS_ABOUT_ONE.test(end.stderr),
  }
}

function failed(reason: string): Fetched {
  return { reason, isTooLarge: false }
}
