import { reasonOf } from '../errors.ts'
import { describeEnd, NO_SHA256 } from './describe-end.ts'
import type { GitPlace, Pushed, RefUpdate } from './git-access.ts'
import type { GitTool } from './git-tool.ts'
import { isObjectId } from './object-id.ts'
import { isRefName } from './ref-name.ts'
import type { GitEnd } from './run-git.ts'

const MAX_REASON_CHARS = 300
const IS_REFUSED = /remote error: /
/** HTTP 403, 404 and 401, in git's words. */
const IS_TURNED_AWAY = /returned error: 40[134]|^fatal: repository '.*' not found|could not read Username/m

/** Pushes exactly these refs from a repository on disk, all or none, whatever they point to at the server. */
export async function pushRefs(
  directory: string,
  { to, updates }: { readonly to: GitPlace; readonly updates: readonly RefUpdate[] },
  tool: GitTool,
): Promise<Pushed> {
  const problem = updates.map(findProblem).find((found) => found !== undefined)
  if (problem !== undefined) return { type: 'failed', reason: problem }
  if (updates.length === 0) return { type: 'pushed' }
  const server = await tool.locate(to)
  if (typeof server === 'string') return { type: 'failed', reason: server }
  const refspecs = updates.map(({ ref, to: id }) => (id === null ? `:${ref}` : `+${id}:${ref}`))
  const options = ['--atomic', '--porcelain', '--no-verify', '--no-follow-tags', '--recurse-submodules=no']
  const args = ['push', ...options, '--', server.url.href, ...refspecs]
  try {
    return readPush(await tool.send({ repository: directory, server, args, requests: 2 }))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'E2BIG') throw error
    return { type: 'failed', reason: `${updates.length} refs are too many for one push: ${reasonOf(error)}` }
  }
}

function findProblem({ ref, to }: RefUpdate): string | undefined {
  if (!ref.startsWith('refs/') || !isRefName(ref)) return `git forbids the name of the ref ${ref.slice(0, 100)}`
  if (to === null || isObjectId(to)) return undefined
  return isObjectId(to, 'sha256') ? NO_SHA256 : `${ref.slice(0, 100)} is to point to something that is no object id`
}

function readPush(end: GitEnd): Pushed {
  if (end.code === 0) return { type: 'pushed' }
  const refused = readRefusals(end.stdout)
  if (refused.length > 0) return { type: 'denied', reason: describeRefusal(end, refused) }
  return { type: typeOf(end.stderr), reason: describeEnd(end) }
}

function typeOf(stderr: string): Exclude<Pushed['type'], 'pushed'> {
  if (IS_TURNED_AWAY.test(stderr)) return 'turned away'
  return IS_REFUSED.test(stderr) ? 'denied' : 'failed'
}

/** Refs that the server did not take: lines `!<tab><from>:<to><tab><summary>` with its reason in brackets. */
function readRefusals(porcelain: string): readonly string[] {
  return porcelain.split('\n').flatMap((line) => {
    const [flag, , summary = ''] = line.split('\t')
    return flag === '!' ? [summary] : []
  })
}

/** What the server's hook said, then why each ref was refused; each once. */
function describeRefusal({ stderr }: GitEnd, refusals: readonly string[]): string {
  const said = stderr
    .split('\n')
    .flatMap((line) => (/^remote: +\S/.test(line) ? [line.slice('remote:'.length).trim()] : []))
  const reasons = refusals.map((summary) => summary.replace(/^\[[^\]]*\] */, '').replace(/^\((.*)\)$/, '$1'))
  return [...new Set([...said, ...reasons])]
    .filter((text) => text !== '')
    .join('; ')
    .slice(0, MAX_REASON_CHARS)
}
