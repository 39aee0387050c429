import type { ObjectId } from './git-access.ts'
import type { GitTool } from './git-tool.ts'
import { isObjectId } from './object-id.ts'

/** Of these ids, those that a repository on disk lacks, or of which it lacks something that they reach. */
export async function findIncomplete(
  repository: string,
  ids: readonly ObjectId[],
  { work }: Pick<GitTool, 'work'>,
): Promise<readonly ObjectId[]> {
  const asked = [...new Set(ids)]
  const present = await findPresent(repository, asked, { work })
  const complete = await findConnected(repository, present, { work })
  return asked.filter((id) => !complete.has(id))
}

async function findPresent(repository: string, ids: readonly ObjectId[], { work }: Pick<GitTool, 'work'>) {
  const known = ids.filter((id) => isObjectId(id))
  if (known.length === 0) return []
  const { stdout } = await work(repository, ['cat-file', '--batch-check=%(objectname)'], known.join('\n'))
  const found = new Set(stdout.split('\n'))
  return known.filter((id) => found.has(id))
}

/** All at once if they are whole, which is the rule; else one after the other, each beside those found whole. */
async function findConnected(repository: string, ids: readonly ObjectId[], { work }: Pick<GitTool, 'work'>) {
  const isConnected = async (wanted: readonly ObjectId[], whole: Iterable<ObjectId>): Promise<boolean> => {
    const lines = [...wanted, ...[...whole].map((id) => `^${id}`)].join('\n')
    return (await work(repository, ['rev-list', '--objects', '--quiet', '--stdin'], lines)).code === 0
  }
  const whole = new Set<ObjectId>()
  if (ids.length === 0 || (await isConnected(ids, []))) return new Set(ids)
  for (const id of ids) if (await isConnected([id], whole)) whole.add(id)
  return whole
}
