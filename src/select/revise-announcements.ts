import type { ScopedRun } from '../scope/scoped-run.ts'
import { askForDeletions } from '../withdraw/withdrawals.ts'
import { findLiving } from './living-versions.ts'

/**
 * Replaces announcements that were deleted or have expired by the newest that counts, since they no longer decide scope
 * and membership. Where several versions were seen, target and sources are first asked whether the newest was deleted.
 * Throws LostRelayError when the target does not answer.
 */
export async function reviseAnnouncements(run: ScopedRun): Promise<void> {
  const { catalog, world, target } = run
  const contested = catalog.takeContested()
  if (contested.length > 0) await askForDeletions(contested, run)
  const gone = catalog.takeGone()
  if (gone.length === 0) return
  const found = await findLiving(gone, run)
  const { url } = target.endpoint
  world.state.transaction(() => {
    for (const { event, source } of found) catalog.learn('announcements', event, source === url)
  })
}
