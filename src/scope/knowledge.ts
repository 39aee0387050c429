import { isDeletedById } from '../run/withdrawn.ts'
import { hostedAnchor } from '../checkpoint/layers.ts'
import { resolveMembership, type Membership } from './membership.ts'
import { addressOf, isNewerVersion, parseAddress } from '../nostr/address.ts'
import { MAX_URLS, readAnnouncement, type Announcement } from '../nostr/announcement.ts'
import { expirationOf, type NostrEvent } from '../nostr/event.ts'
import { isRootKind, KIND } from '../nostr/kinds.ts'
import { referencesOf } from '../nostr/references.ts'
import { MAX_MAINTAINERS, type RoleRule } from '../nostr/roles.ts'
import type { Service } from '../nostr/service-url.ts'
import type { LayerName } from '../layer-name.ts'
import { initialAnchors, isOfMembers, isOwned, scopeKey, type Scope } from './scope.ts'
import type { TargetState } from '../store/target-state.ts'
import type { UnixSeconds } from '../time.ts'

/** `rule`: how the target reads maintainers. `host`: the service whose hosted pull requests are in scope (GRASP-06). */
export type KnowledgeOptions = {
  readonly followUps: boolean
  readonly rule?: RoleRule
  readonly host?: Service | undefined
  /** The start of the run: what has expired by then does not count. @default 0 */
  readonly now?: UnixSeconds
}

const SHORT_URL = 100
const FEW_URLS = 3
const MAX_UNDECIDED = 1_000

/**
 * What the run knows of announcements and roots, from sources, target and earlier runs, and the anchors that follow.
 */
export class Knowledge {
  readonly #state: TargetState
  readonly #scope: Scope
  readonly #followUps: boolean
  readonly #key: string
  readonly #rule: RoleRule
  readonly #host: Service | undefined
  readonly #announcements = new Map<string, Announcement>()
  /** Addresses of those that are in scope on their own: asked once, when they are learnt. */
  readonly #owned = new Set<string>()
  readonly #now: UnixSeconds
  readonly #expirations = new Map<string, UnixSeconds>()
  /** Identifiers of which any version was in scope on its own: what decides lies within these. */
  readonly #identifiers = new Set<string>()
  /** Addresses of which several versions were met: if the newest was deleted, another decides. */
  readonly #contested = new Set<string>()
  /** Ids of versions that were found to be gone, and replaced where something was left. */
  readonly #revised = new Set<string>()
  /** Addresses of what was read and is not remembered for later runs: it is of nobody in scope. */
  readonly #unremembered = new Set<string>()
  /** Addresses of what is out of scope by the URLs that were read, and has others. */
  readonly #undecided = new Set<string>()
  #resolved: { readonly members: Membership; readonly removals: number } | undefined
  #derived: Membership | undefined
  readonly #held = { addresses: new Set<string>(), identifiers: new Set<string>(), authors: new Set<string>() }
  #read = 0

  constructor(state: TargetState, scope: Scope, { followUps, rule = 'today', host, now = 0 }: KnowledgeOptions) {
    this.#state = state
    this.#scope = scope
    this.#followUps = followUps
    this.#rule = rule
    this.#host = host
    this.#now = now
    this.#key = scopeKey(scope)
  }

  /** Takes up what earlier runs with this scope knew, and the anchors that the scope itself gives. */
  recall(): void {
    this.#recallAnnouncements()
    this.#state.transaction(() => {
      this.#state.anchors.recall(this.#key)
      for (const anchor of initialAnchors(this.#scope)) this.#state.anchors.add(this.#key, 'announcements', anchor)
      if (this.#host !== undefined) this.#state.anchors.add(this.#key, 'repositories', hostedAnchor(this.#host))
      this.deriveAnchors()
    })
  }

  /** Takes up what earlier runs with whatever scope knew, and adds nothing to it: a retry reads nothing. */
  recallForRetry(): void {
    this.#recallAnnouncements()
    this.#state.anchors.recall()
  }

  /** Learns from a verified event. `held`: it came from the target. */
  learn(layer: LayerName, event: NostrEvent, held: boolean): void {
    if (event.kind === KIND.announcement) {
      this.#read += 1
      const announcement = this.#keepNewest(event)
      if (held) this.#noteHeld(announcement)
      const isKept = this.#announcements.get(announcement.address)?.id === event.id
      if (isKept && this.#isAlive(announcement)) this.#rememberIfOurs(announcement.address, event, held)
    }
    if (layer !== 'repositories' && layer !== 'threads') return
    if (isRootKind(event.kind)) {
      this.#state.anchors.add(this.#key, 'threads', event.id, { held, repositories: this.repositoriesOf(event) })
    } else if (this.#followUps) {
      this.#state.anchors.add(this.#key, 'follow-ups', event.id, { held, repositories: this.repositoriesOf(event) })
    }
  }

  /**
   * Who and what is in scope, as far as is known now; found anew when that changed. Deleted and vanished announcements
   * do not count.
   */
  members(): Membership {
    const { removalsNoted: removals } = this.#state.run
    if (this.#resolved?.removals === removals) return this.#resolved.members
    const alive = [...this.#announcements.values()].filter((announcement) => this.#isAlive(announcement))
    const members = resolveMembership(alive, { isOwned: ({ address }) => this.#owned.has(address), rule: this.#rule })
    this.#resolved = { members, removals }
    return members
  }

  /**
   * Announcements that decide and were not the only version of their address, each once: whoever asks whether they were
   * deleted gets them in outline, without what is said in them.
   */
  takeContested(): NostrEvent[] {
    const contested = [...this.#contested].flatMap((address) => this.#announcements.get(address) ?? [])
    const deciding = contested.filter(({ identifier }) => this.#identifiers.has(identifier))
    for (const { address } of deciding) this.#contested.delete(address)
    return deciding.map(outlineOf)
  }

  /** Announcements that do not count any more while an older version may, each once, in outline. They are forgotten. */
  takeGone(): NostrEvent[] {
    const gone = [...this.#announcements.values()].filter((announcement) => {
      return !this.#isAlive(announcement) && !this.#revised.has(announcement.id)
    })
    for (const { id, address } of gone) {
      this.#revised.add(id)
      this.#state.anchors.forgetAnnouncement(address)
    }
    return gone.filter((each) => isDeletedById(each, this.#state.run) || this.#isExpired(each)).map(outlineOf)
  }

  /** Whether an anchor follows from the scope and its members: only such ones keep a checkpoint. */
  isOfMembers(layer: LayerName, anchor: string): boolean {
    return isOfMembers(layer, anchor, this.#scope, this.members())
  }

  /** The announcements that are in scope, by address, without most of their URLs. */
  announcementsInScope(): ReadonlyMap<string, Announcement> {
    const { announcements } = this.members()
    return new Map([...this.#announcements].filter(([address]) => announcements.has(address)))
  }

  /** The same announcement with its URLs, which are many and lie on disk. */
  withUrls(announcement: Announcement): Announcement {
    const event = this.#state.anchors.announcement(announcement.address)
    return event?.id === announcement.id ? readAnnouncement(event, this.#rule) : announcement
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
    // Those of outsiders as well: an acceptance that is found later in this run brings them into scope.
    for (const address of [...states, ...outsiders.keys()]) add('repositories', address)
    if (this.#scope.type === 'all') return
    for (const address of maintainerAddresses) add('announcements', address)
    for (const author of authors) add('announcements', `${KIND.graspList}:${author}:`)
  }

  /** Whether the target holds what the anchor stands for: what `--since` may be applied to. */
  isHeld(layer: LayerName, anchor: string, rootIsHeld: boolean): boolean {
    if (layer === 'threads' || layer === 'follow-ups') return rootIsHeld
    const address = parseAddress(anchor)
    const { addresses, identifiers, authors } = this.#held
    if (address === undefined) return addresses.size > 0
    if (address.kind === KIND.announcement) return addresses.has(anchor)
    return address.kind === KIND.state ? identifiers.has(address.d) : authors.has(address.pubkey)
  }

  /**
   * The repository that an event belongs to, as an address `30617:…`: its own, the one it names, or that of its root.
   */
  repositoryOf(event: NostrEvent): string | undefined {
    return this.repositoriesOf(event)[0]
  }

  /** The same where it belongs to several: those that are known first. */
  repositoriesOf(event: NostrEvent): readonly string[] {
    if (event.kind === KIND.announcement) return [addressOf(event) ?? '']
    const { addresses, ids } = referencesOf(event)
    const isKnown = (address: string): boolean => this.#announcements.has(address)
    if (addresses.length > 0) return [...addresses.filter(isKnown), ...addresses.filter((each) => !isKnown(each))]
    const ofRoots = ids.map((id) => this.#state.anchors.repositoriesOf(id))
    return ofRoots.find((repositories) => repositories.length > 0) ?? []
  }

  /** Every announcement known, newest per address. */
  announcements(): Iterable<Announcement> {
    return this.#announcements.values()
  }

  /** Whether any announcement came from anywhere in this run. */
  hasReadAnnouncements(): boolean {
    return this.#read > 0
  }

  /** Sentences about announcements that say more than was read, where that decides over scope or members. */
  notes(): string[] {
    const inScope = [...this.announcementsInScope().values()]
    return [
      ...noteUnread(
        inScope.filter(({ unreadMaintainers }) => unreadMaintainers > 0),
        `names maintainers that are not understood: by no public key, or beyond the first ${MAX_MAINTAINERS}`,
      ),
      ...noteUnread(
        inScope.filter(({ unreadUrls }) => unreadUrls > 0),
        `names URLs that are not read: too long, or beyond the first ${MAX_URLS}`,
      ),
      ...noteUnread(
        [...this.#undecided]
          .filter((address) => !this.members().announcements.has(address))
          .map((address) => ({ address })),
        `is out of scope: it may name the service among its URLs that are not read, too long or beyond the first ${MAX_URLS}`,
      ),
    ]
  }

  /** What was read for want of nothing better, and is in scope now. It lies in the spool until it is selected. */
  #rememberMembers({ announcements }: Membership): void {
    for (const address of [...this.#unremembered].filter((each) => announcements.has(each))) {
      const event = this.#state.spool.findVersion(address)?.event
      if (event !== undefined) this.#remember(address, event)
    }
  }

  /** Of anybody else's, only those that turn out to be members are remembered: they are many, and not small. */
  #rememberIfOurs(address: string, event: NostrEvent, held: boolean): void {
    if (held || this.#owned.has(address)) this.#remember(address, event)
    else this.#unremembered.add(address)
  }

  #remember(address: string, event: NostrEvent): void {
    this.#unremembered.delete(address)
    this.#state.anchors.rememberAnnouncement(address, event)
  }

  #isAlive(announcement: Announcement): boolean {
    const { address, pubkey, createdAt } = announcement
    const { run } = this.#state
    if (isDeletedById(announcement, run) || this.#isExpired(announcement)) return false
    return Math.max(run.deletedUntil(pubkey, address) ?? -1, run.vanishedUntil(pubkey) ?? -1) < createdAt
  }

  #isExpired({ id }: Announcement): boolean {
    return (this.#expirations.get(id) ?? Infinity) <= this.#now
  }

  #recallAnnouncements(): void {
    for (const event of this.#state.anchors.announcements()) this.#keepNewest(event)
  }

  #noteHeld({ address, identifier, pubkey }: Announcement): void {
    this.#held.addresses.add(address)
    this.#held.identifiers.add(identifier)
    this.#held.authors.add(pubkey)
  }

  /** It may name the service among the URLs that are not read: then it is left out without anybody knowing. */
  #noteUndecided({ address, unreadUrls }: Announcement, event: NostrEvent): void {
    if (this.#scope.type !== 'listed' || unreadUrls === 0 || this.#undecided.size >= MAX_UNDECIDED) return
    const { host } = this.#scope.service
    const isNamed = event.tags.some(([name, ...urls]) => isUrlTag(name) && urls.some((url) => url.includes(host)))
    if (isNamed) this.#undecided.add(address)
  }

  #keepNewest(event: NostrEvent): Announcement {
    const announcement = readAnnouncement(event, this.#rule)
    const known = this.#announcements.get(announcement.address)
    const expiration = expirationOf(event)
    if (expiration !== undefined) this.#expirations.set(event.id, expiration)
    if (isOwned(this.#scope, announcement, this.#rule)) this.#identifiers.add(announcement.identifier)
    else this.#noteUndecided(announcement, event)
    if (known !== undefined && !this.#replaces(announcement, known)) return announcement
    // What is newer on disk would hide it there.
    if (known !== undefined && !this.#isAlive(known)) this.#state.anchors.forgetAnnouncement(known.address)
    this.#keep(announcement)
    return announcement
  }

  /** What does not count any more gives way to what does, whichever is newer. */
  #replaces(announcement: Announcement, known: Announcement): boolean {
    if (announcement.id === known.id) return false
    const isAlive = this.#isAlive(announcement)
    if (isAlive !== this.#isAlive(known)) return isAlive
    this.#contested.add(known.address)
    return isNewerVersion(versionOf(announcement), versionOf(known))
  }

  #keep(announcement: Announcement): void {
    const { address } = announcement
    const isOurs = isOwned(this.#scope, announcement, this.#rule)
    this.#announcements.set(address, withoutUrls(announcement))
    if (isOurs) this.#owned.add(address)
    else this.#owned.delete(address)
    this.#resolved = undefined
  }
}

function versionOf({ id, createdAt }: Announcement): Pick<NostrEvent, 'id' | 'created_at'> {
  return { id, created_at: createdAt }
}

/** Enough of an event to ask for it, and for what deletes it. */
function outlineOf({ id, pubkey, identifier, createdAt }: Announcement): NostrEvent {
  return { id, pubkey, created_at: createdAt, kind: KIND.announcement, tags: [['d', identifier]], content: '', sig: '' }
}

/**
 * What may decide the scope, and enough to tell where most repositories are: there are many announcements, and they are
 * not small.
 */
function withoutUrls(announcement: Announcement): Announcement {
  const relays = announcement.relays.filter(({ length }) => length <= SHORT_URL).slice(0, FEW_URLS)
  return { ...announcement, clone: [], relays }
}

function isUrlTag(name: string | undefined): boolean {
  return name === 'clone' || name === 'relays'
}

function noteUnread([first, ...others]: readonly Pick<Announcement, 'address'>[], what: string): string[] {
  if (first === undefined) return []
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`
  return [`The announcement ${first.address}${more} ${what}.`]
}
