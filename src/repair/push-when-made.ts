/*
 * A relay makes a git repository for an announcement that it took, and may answer before: ngit-relay starts five
 * programs for each, of all announcements at once. Until then its git server turns pushes away, in the same words as a
 * server that takes none at all.
 */
import type { Pushed } from '../git/git-access.ts'
import { giveTime, type RunTime } from './give-time.ts'

/** How long a target is waited for that turns pushes away: in vain once, and no more in this call. */
export class Patience {
  #isInVain = false

  /** Pushes to a repository without refs, again and again while it may not have been made yet. */
  async pushWhenMade(push: () => Promise<Pushed>, world: RunTime): Promise<Pushed> {
    if (this.#isInVain) return push()
    const pushed = await giveTime(push, ({ type }) => type !== 'turned away', world)
    this.#isInVain ||= pushed.type === 'turned away'
    return pushed
  }
}
