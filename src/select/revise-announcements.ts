import type { Knowledge } from '../scope/knowledge.ts'
import { findLiving } from './living-versions.ts'
import { askForDeletions, type WithdrawalContext } from '../withdraw/withdrawals.ts'

/**
 * Puts the newest announcement that counts in the place of those that were deleted or have expired: they decide over
 * scope and membership no more. Of announcements that were met in several versions it is asked whether the newest was
 * deleted. Throws LostRelayError when the target does not answer.
 */
export async function reviseAnnouncements(knowledge: Knowledge, context: WithdrawalContext): Promise<void> {
  const contested = knowledge.takeContested()
  if (contested.length > 0) await askForDeletions(contested, context)
  const gone = knowledge.takeGone()
  if (gone.length === 0) return
  const found = await findLiving(gone, context)
  const { url } = context.target.endpoint
  context.state.transaction(() => {
    for (const { event, source } of found) knowledge.learn('announcements', event, source === url)
  })
}
