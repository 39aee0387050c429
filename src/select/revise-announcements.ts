import type { ScopedRun } from '../scope/scoped-run.ts'
import { askForDeletions } from '../withdraw/withdrawals.ts'
import { findLiving } from './living-versions.ts'

/**
 * Puts the newest announcement that counts in the place of those that were deleted or have expired: they decide over
 * scope and membership no more. Of announcements that were met in several versions it is asked whether the newest was
 * deleted. Throws LostRelayError when the target does not answer.
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
