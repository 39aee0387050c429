import type { NostrEvent } from '../../src/nostr/event.ts'
import type { Filter } from '../../src/nostr/filter.ts'
import {
  announcement,
  comment,
  issue,
  repositoryAddress,
  SOME_TIME,
  state,
  type AnnouncementExtra,
} from './builders.ts'
import { keyOf, type Key } from './sign.ts'
import type { ScriptedRelay } from './scripted-relay.ts'

/** Some people. */
export const [alice, bob, carol, dave] = [keyOf('alice'), keyOf('bob'), keyOf('carol'), keyOf('dave')]

/** A repository with a little of everything; `events` are in order of `created_at`, one minute apart. */
export type SmallRepository = {
  readonly address: string
  readonly announced: NostrEvent
  readonly state: NostrEvent
  readonly issue: NostrEvent
  readonly comment: NostrEvent
  readonly events: readonly NostrEvent[]
}

/** Announcement, state, an issue of bob and a comment of carol. */
export function smallRepository(
  options: { readonly owner?: Key; readonly d?: string; readonly startAt?: number } & Pick<
    AnnouncementExtra,
    'clone' | 'relays' | 'maintainers'
  > = {},
): SmallRepository {
  const { owner = alice, d = 'hello', startAt = SOME_TIME, ...extra } = options
  const address = repositoryAddress(owner, d)
  const announced = announcement(owner, d, { createdAt: startAt, ...extra })
  const pushed = state(owner, d, { createdAt: startAt + 60 })
  const bug = issue(address, bob, { createdAt: startAt + 120, content: `${d} is broken` })
  const remark = comment(bug, carol, { createdAt: startAt + 180 })
  return {
    address,
    announced,
    state: pushed,
    issue: bug,
    comment: remark,
    events: [announced, pushed, bug, remark],
  }
}

/**
 * The filters by which a scripted relay was read: not the questions for ids, versions, deletions, vanish requests, page
 * size, or whether it brings again what it has shown, in three seconds.
 */
export function readingFilters({ received }: ScriptedRelay): Filter[] {
  const isQuestion = ({ ids, kinds, limit: _limit, since = -Infinity, ...rest }: Filter): boolean =>
    ids !== undefined ||
    (rest.until ?? Infinity) - since === 2 ||
    // What is read by `a` is read with every kind.
    (kinds !== undefined && '#a' in rest) ||
    ['5', '62'].includes(kinds?.join() ?? '') ||
    (kinds === undefined && Object.keys(rest).length === 0)
  return received.reqs.flatMap(({ filters }) => filters).filter((filter) => !isQuestion(filter))
}

/** The values that a relay was asked for under a tag, with the `since` of each filter. */
export function sincesOf(relay: ScriptedRelay, tag: `#${string}`, value: string): (number | undefined)[] {
  return readingFilters(relay)
    .filter((filter) => filter[tag]?.includes(value))
    .map(({ since }) => since)
}

/** Repositories of alice, a second apart, with one issue of bob each. */
export function issuesApart(
  count: number,
  startAt: number,
): { readonly announced: NostrEvent[]; readonly issues: NostrEvent[] } {
  const names = Array.from({ length: count }, (_, n) => `repository-${String(n).padStart(2, '0')}`)
  return {
    announced: names.map((d, n) => announcement(alice, d, { createdAt: startAt + n })),
    issues: names.map((d, n) => issue(repositoryAddress(alice, d), bob, { createdAt: startAt + 1_000 + n })),
  }
}
