import { openBareRepository } from './bare-repository.ts'
import { fetchObjects } from './fetch-objects.ts'
import { findIncomplete } from './find-incomplete.ts'
import type { Workshop } from './git-access.ts'
import type { GitTool } from './git-tool.ts'
import { pushRefs } from './push-refs.ts'
import type { ShelfPlace } from './shelf.ts'

/** Opens the workshop of a repository in a directory, which is put back when it is closed. */
export async function openWorkshop(place: ShelfPlace, tool: GitTool, nowMs: () => number): Promise<Workshop> {
  const { directory, putBack } = place
  try {
    await openBareRepository(directory, tool)
  } catch (error) {
    putBack()
    throw error
  }
  return {
    fetch: (from, ids, advertised) => fetchObjects({ directory, from, ids, advertised }, tool, nowMs),
    findIncomplete: (ids) => findIncomplete(directory, ids, tool),
    push: (to, updates) => pushRefs(directory, { to, updates }, tool),
    close: async () => putBack(),
  }
}
