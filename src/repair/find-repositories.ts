import { formatAddress } from '../nostr/address.ts'
import type { Announcement } from '../nostr/announcement.ts'
import { KIND } from '../nostr/kinds.ts'
import type { RoleRule } from '../nostr/roles.ts'
import { listsService } from '../nostr/service-url.ts'
import { isEarlyGrasp } from '../relay/software.ts'
import { authorityOf, type Family } from '../scope/authority.ts'
import { groupByIdentifier } from '../scope/membership.ts'
import { isArchive } from '../scope/scope-choice.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import type { GitTarget } from './git-target.ts'

/** A repository that the target should serve. */
export type Repository = {
  /** `30617:<public key>:<identifier>`. */
  readonly address: string
  /** The announcements of its owner and of those whom it lists, also through others; the owner's first. */
  readonly announcements: readonly Announcement[]
  /** `30618:<author>:<identifier>` of everyone whose state counts for it. */
  readonly states: readonly string[]
}

/**
 * Returns the repositories in scope that the target should serve: those whose announcement names it in `clone` and
 * `relays`, and those that an archive has. Those of one identifier stand together.
 */
export function findRepositories(run: ScopedRun, { service }: GitTarget): Repository[] {
  const { catalog, target } = run
  const rule = isEarlyGrasp(target.profile) ? 'early' : 'today'
  const reach = { relaysMayLieBelow: rule === 'early' }
  const isExpected = (announcement: Announcement): boolean =>
    listsService(catalog.withUrls(announcement), service, reach) ||
    (isArchive(target.profile) && catalog.isHeld('repositories', announcement.address, false))
  const families = groupByIdentifier(catalog.announcementsInScope().values())
  return [...families.values()].flatMap((family) =>
    [...family.values()].filter(isExpected).map((owner) => describeRepository(owner, family, rule)),
  )
}

/** Who and what belongs to the repository that one announcement of a family makes. */
export function describeRepository(owner: Announcement, family: Family, rule: RoleRule): Repository {
  const listed = listedFrom(owner, family)
  const authors = rule === 'early' ? listed : authorityOf(owner.pubkey, family)
  const related = new Set([owner.pubkey, ...listed, ...authors])
  return {
    address: owner.address,
    announcements: [...related].flatMap((pubkey) => family.get(pubkey) ?? []),
    states: [...authors].map((pubkey) => formatAddress({ kind: KIND.state, pubkey, d: owner.identifier })),
  }
}

/** The owner and everyone whom he lists, also through the announcements of others. */
function listedFrom(owner: Announcement, family: Family): ReadonlySet<string> {
  const found = new Set([owner.pubkey])
  // Grows while it is walked.
  for (const pubkey of found) for (const named of family.get(pubkey)?.listed ?? []) found.add(named)
  return found
}
