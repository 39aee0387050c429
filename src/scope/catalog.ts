import { hostedAnchor, MAX_FOLLOW_DEPTH } from '../checkpoint/layers.ts'
import type { LayerName } from '../layer-name.ts'
import { addressOf, parseAddress } from '../nostr/address.ts'
import type { Announcement } from '../nostr/announcement.ts'
import { tagValues, type NostrEvent } from '../nostr/event.ts'
import { isAddressable, isRootKind, KIND } from '../nostr/kinds.ts'
import { referencesOf } from '../nostr/references.ts'
import type { RoleRule } from '../nostr/roles.ts'
import type { Service } from '../nostr/service-url.ts'
import type { Part } from '../report/run-options.ts'
import type { TargetState } from '../store/target-state.ts'
import type { UnixSeconds } from '../time.ts'
import { Announcements, type Met } from './announcements.ts'
import { isInShard, isOfAnotherShard } from './choose-part.ts'
import { resolveMembership, type Membership } from './membership.ts'
import { initialAnchors, isOfMembers, isOwned, scopeKey, type Scope } from './scope.ts'
import { UnreadParts } from './unread-parts.ts'

/** `rule`: how the target reads maintainers. `host`: the service whose hosted pull requests are in scope (GRASP-06). */
export type CatalogOptions = {
  readonly followUps: boolean
  readonly rule?: RoleRule
  readonly host?: Service | undefined
  /** The start of the run: what has expired by then does not count. @default 0 */
  readonly now?: UnixSeconds
  /** The part of the repositories that the run is about; announcements of all are learnt. @default all */
  readonly shard?: Part | undefined
}

const MAX_FOLLOWED = 1_000

/**
 * The announcements and roots that the run knows, from sources, target and earlier runs, and the anchors that follow.
 */
export class Catalog {
  readonly #state: TargetState
  readonly #scope: Scope
  readonly #followUps: boolean
  readonly #key: string
  readonly #rule: RoleRule
  readonly #host: Service | undefined
  readonly #shard: Part | undefined
  readonly #announcements: Announcements
  /** Addresses of announcements that are in scope on their own; decided once, when they are learnt. */
  readonly #owned = new Set<string>()
  /** Identifiers with any version that was in scope on its own: only announcements of these decide anything. */
  readonly #identifiers = new Set<string>()
  /** Addresses of announcements that are not remembered for later runs: nobody in scope made them. */
  readonly #unremembered = new Set<string>()
  readonly #unread: UnreadParts
  #isOwnedElsewhere = false
  #resolved: { readonly members: Membership; readonly removals: number } | undefined
  #derived: Membership | undefined
  readonly #held = { addresses: new Set<string>(), identifiers: new Set<string>(), authors: new Set<string>() }
  #read = 0
  #followed = 0

  constructor(state: TargetState, scope: Scope, { followUps, rule = 'today', host, now = 0, shard }: CatalogOptions) {
    this.#state = state
    this.#scope = scope
    this.#followUps = followUps
    this.#rule = rule
    this.#host = host
    this.#shard = shard
    this.#announcements = new Announcements(state, { rule, now })
    this.#unread = new UnreadParts(scope)
    this.#key = scopeKey(scope)
  }

  /** Loads the knowledge of earlier runs with this scope, and adds the anchors that the scope itself gives. */
  recall(): void {
    this.#recallAnnouncements()
    this.#state.transaction(() => {
      this.#state.anchors.recall(this.#key)
      for (const anchor of initialAnchors(this.#scope)) this.#state.anchors.add(this.#key, 'announcements', anchor)
      const hosted = this.#host === undefined ? undefined : hostedAnchor(this.#host)
      if (hosted !== undefined && isInShard(hosted, this.#shard))
        this.#state.anchors.add(this.#key, 'repositories', hosted)
      this.deriveAnchors()
    })
  }

  /** Loads the knowledge of earlier runs with any scope, and adds nothing: a retry reads nothing. */
  recallForRetry(): void {
    this.#recallAnnouncements()
    this.#state.anchors.recall()
  }

  /** Learns from a verified event. `held`: it came from the target. */
  learn(layer: LayerName, event: NostrEvent, held: boolean): void {
    if (event.kind === KIND.announcement) {
      this.#read += 1
      const { announcement, place } = this.#meet(event)
      if (held) this.#noteHeld(announcement)
      if (place !== 'older' && this.#announcements.isAlive(announcement))
        this.#rememberIfOurs(announcement.address, event, held)
    }
    if (layer === 'announcements') return
    if (layer !== 'follow-ups' && isRootKind(event.kind)) {
      this.#state.anchors.add(this.#key, 'threads', event.id, { held, repositories: this.repositoriesOf(event) })
    } else if (this.#followUps) this.#follow(layer, event, held)
  }

  /**
   * Returns who and what is in scope, and in the shard, by what is known now; found anew when that changes. Deleted and
   * vanished announcements do not count.
   */
  members(): Membership {
    const { removalsNoted: removals } = this.#state.run
    if (this.#resolved?.removals === removals) return this.#resolved.members
    const alive = this.#announcements.alive().filter(({ address }) => isInShard(address, this.#shard))
    const members = resolveMembership(alive, { isOwned: ({ address }) => this.#owned.has(address), rule: this.#rule })
    this.#resolved = { members, removals }
    return members
  }

  /**
   * Whether any announcement is in scope on its own. In another shard any version will do: only that shard asks whether
   * it was deleted.
   */
  hasAnyOwner(): boolean {
    return this.#isOwnedElsewhere || this.members().announcements.size > 0
  }

  /** Whether an event belongs to the run, but another shard copies it. */
  isOfAnotherShard(event: NostrEvent): boolean {
    return isOfAnotherShard(event, this.#shard, this.#scope.type === 'all')
  }

  /** Returns announcements in scope that may not be the ones that decide; see `Announcements.takeContested`. */
  takeContested(): NostrEvent[] {
    return this.#announcements.takeContested((identifier) => this.#identifiers.has(identifier))
  }

  /** See `Announcements.takeGone`. */
  takeGone(): NostrEvent[] {
    return this.#announcements.takeGone()
  }

  /** Whether an anchor follows from the scope and its members: only such anchors keep a checkpoint. */
  isOfMembers(layer: LayerName, anchor: string): boolean {
    return isOfMembers(layer, anchor, this.#scope, this.members())
  }

  /** The announcements that are in scope, by address, without most of their URLs. */
  announcementsInScope(): ReadonlyMap<string, Announcement> {
    const { announcements } = this.members()
    const inScope = [...this.#announcements.values()].filter(({ address }) => announcements.has(address))
    return new Map(inScope.map((announcement) => [announcement.address, announcement]))
  }

  /** See `Announcements.withUrls`. */
  withUrls(announcement: Announcement): Announcement {
    return this.#announcements.withUrls(announcement)
  }

  /** Adds the anchors that follow from the announcements known now. */
  deriveAnchors(): void {
    const members = this.members()
    if (members === this.#derived) return
    this.#derived = members
    this.#rememberMembers(members)
    const { announcements, states, outsiders, maintainerAddresses, authors } = members
    const add = (layer: LayerName, anchor: string): void => this.#state.anchors.add(this.#key, layer, anchor)
    for (const address of announcements) add('repositories', address)
    // States of outsiders too: an acceptance that is read later in this run brings them into scope.
    for (const address of [...states, ...outsiders.keys()]) add('repositories', address)
    if (this.#scope.type === 'all') return
    for (const address of maintainerAddresses) add('announcements', address)
    for (const author of authors) add('announcements', `${KIND.graspList}:${author}:`)
  }

  /** Whether the target holds what the anchor stands for: only then may `--since` apply to it. */
  isHeld(layer: LayerName, anchor: string, rootIsHeld: boolean): boolean {
    if (layer === 'threads' || layer === 'follow-ups') return rootIsHeld
    const address = parseAddress(anchor)
    const { addresses, identifiers, authors } = this.#held
    if (address === undefined) return addresses.size > 0
    if (address.kind === KIND.announcement) return addresses.has(anchor)
    return address.kind === KIND.state ? identifiers.has(address.d) : authors.has(address.pubkey)
  }

  /** Returns the repository of an event as an address `30617:…`: its own, the one it names, or that of its root. */
  repositoryOf(event: NostrEvent): string | undefined {
    return this.repositoriesOf(event)[0]
  }

  /** Returns all repositories that an event belongs to, known ones first. */
  repositoriesOf(event: NostrEvent): readonly string[] {
    if (event.kind === KIND.announcement) return [addressOf(event) ?? '']
    const { addresses, ids } = referencesOf(event)
    const isKnown = (address: string): boolean => this.#announcements.get(address) !== undefined
    if (addresses.length > 0) return [...addresses.filter(isKnown), ...addresses.filter((each) => !isKnown(each))]
    const ofRoots = [...ids, ...otherAddressesOf(event)].map((anchor) => this.#state.anchors.repositoriesOf(anchor))
    return ofRoots.find((repositories) => repositories.length > 0) ?? []
  }

  /** Every announcement known, newest per address. */
  announcements(): Iterable<Announcement> {
    return this.#announcements.values()
  }

  /** Whether this run has read any announcement. */
  hasReadAnnouncements(): boolean {
    return this.#read > 0
  }

  /** How many steps from a repository or thread the furthest follow-up lies that this run has met; 0: it met none. */
  followDepth(): number {
    return this.#followed
  }

  /** Sentences about what of the scope was not read, or not followed. */
  notes(): string[] {
    const followed =
      this.#followed > 1
        ? [`Follow-ups lie up to ${this.#followed} steps away; at most ${MAX_FOLLOW_DEPTH} are followed.`]
        : []
    return [...followed, ...this.#unread.sentences(this.announcementsInScope())]
  }

  /** Makes anchors of an event and its address, unless it is too many steps away from the repository. */
  #follow(layer: LayerName, event: NostrEvent, held: boolean): void {
    const found = layer === 'follow-ups' ? this.#state.anchors.followDepth(followedBy(event)) : 0
    if (found === undefined) return
    this.#followed = Math.max(this.#followed, found)
    if (found >= MAX_FOLLOW_DEPTH) return
    const origin = { held, repositories: this.repositoriesOf(event), depth: found + 1 }
    const address = isAddressable(event.kind) ? addressOf(event) : undefined
    for (const anchor of [event.id, ...(address === undefined ? [] : [address])])
      this.#state.anchors.add(this.#key, 'follow-ups', anchor, origin)
  }

  /** Remembers announcements that are in scope only now. They are in the spool until selection. */
  #rememberMembers({ announcements }: Membership): void {
    for (const address of [...this.#unremembered].filter((each) => announcements.has(each))) {
      const event = this.#state.spool.findVersion(address)?.event
      if (event !== undefined) this.#remember(address, event)
    }
  }

  /** Remembers announcements that the target holds or that are in scope on their own; others only once in scope. */
  #rememberIfOurs(address: string, event: NostrEvent, held: boolean): void {
    if (held || this.#owned.has(address)) this.#remember(address, event)
    else this.#unremembered.add(address)
  }

  #remember(address: string, event: NostrEvent): void {
    this.#unremembered.delete(address)
    this.#state.anchors.rememberAnnouncement(address, event)
  }

  #recallAnnouncements(): void {
    for (const event of this.#state.anchors.announcements()) this.#meet(event)
  }

  #noteHeld({ address, identifier, pubkey }: Announcement): void {
    this.#held.addresses.add(address)
    this.#held.identifiers.add(identifier)
    this.#held.authors.add(pubkey)
  }

  #meet(event: NostrEvent): Met {
    const met = this.#announcements.meet(event)
    const { announcement, place } = met
    const { address, identifier } = announcement
    const isOurs = isOwned(this.#scope, announcement, this.#rule)
    if (isInShard(address, this.#shard)) {
      if (isOurs) this.#identifiers.add(identifier)
      else this.#unread.note(announcement, event)
    } else if (isOurs) this.#isOwnedElsewhere = true
    if (place !== 'newest') return met
    if (isOurs) this.#owned.add(address)
    else this.#owned.delete(address)
    this.#resolved = undefined
    return met
  }
}

/** What an event follows, by the filters of the layer; authors choose how much that is. */
function followedBy(event: NostrEvent): string[] {
  return [...tagValues(event, 'e'), ...otherAddressesOf(event)].slice(0, MAX_FOLLOWED)
}

/** Addresses that an event refers to, other than those of repositories. */
function otherAddressesOf(event: NostrEvent): string[] {
  const addresses = ['a', 'A'].flatMap((name) => tagValues(event, name))
  return addresses.filter((address) => !address.startsWith(`${KIND.announcement}:`)).slice(0, MAX_FOLLOWED)
}
