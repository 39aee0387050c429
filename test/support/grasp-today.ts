import { npubEncode } from 'nostr-tools/nip19'

import { addressOf, isNewerVersion } from '../../src/nostr/address.ts'
import type { NostrEvent } from '../../src/nostr/event.ts'
import { listedBy, mayPushState, authorityOf } from './grasp-membership.ts'
import { addressText, namesService } from './grasp-policy.ts'
import { judgeShape } from './grasp-shape.ts'
import { deletes, vanishes, type Tombstones } from './grasp-tombstones.ts'
import { storeEvent, type MemoryStore } from './memory-store.ts'
import type { Purgatory } from './purgatory.ts'
import type { EventReply } from './scripted-behaviour.ts'
import type { TokenBucket } from './token-bucket.ts'

/** What ngit-grasp 3.0.10 decides by. */
export type GraspTodayState = {
  readonly events: MemoryStore
  readonly purgatory: Purgatory
  /** Commits whose objects have arrived, by identifier: whose repository they were pushed to does not matter. */
  readonly commits: Map<string, Set<string>>
  readonly tombstones: Tombstones
  /** What came with an announcement that was deleted, by its address: a newer one brings it back. */
  readonly holding: Map<string, NostrEvent[]>
  /** The host and port that announcements must name in `clone` and `relays`. */
  readonly host: string
  /** Whether it hosts pull requests to any repository (GRASP-06). */
  readonly hosts: boolean
  readonly bucketOf: (connection: number) => TokenBucket
  /** Whether this author is known to take part in a thread that is served. */
  readonly participates: (pubkey: string) => boolean
}

const ANNOUNCEMENT = 30_617
const STATE = 30_618
const PULL_REQUESTS = [1_618, 1_619]
const PROFILES = [0, 10_002]
const TARGETS_MOST = 2_048
const HELD_BACK = "purgatory: won't be served until git data arrives"
const UNSERVED =
  'duplicate: deletion request is no longer served; it will be re-served when used to reject an in-scope event'

/**
 * What ngit-grasp 3.0.10 says to an event; what it takes is put where it belongs. Texts as shared/grasp.md has them.
 */
export function judgeAsGraspToday(event: NostrEvent, connection: number, state: GraspTodayState): EventReply {
  if (!state.bucketOf(connection)()) return refuse('rate-limited: slow down')
  hideUnserved(state)
  const complaint = judgeShape(event) ?? gateText(event, state)
  if (complaint !== undefined) return refuse(complaint)
  if (event.kind >= 20_000 && event.kind < 30_000) return take('')
  if (event.kind === ANNOUNCEMENT) return judgeAnnouncement(event, state)
  if (event.kind === STATE) return judgeState(event, state)
  if (PULL_REQUESTS.includes(event.kind)) return judgePullRequest(event, state)
  if (event.kind === 5 || event.kind === 62) return judgeRequest(event, state)
  if (PROFILES.includes(event.kind) && !state.participates(event.pubkey)) {
    return refuse('restricted: Kind 0/10002 author must participate in an accepted repository thread')
  }
  const isFree = event.kind === 10_317 || PROFILES.includes(event.kind)
  return isFree || isReferred(event, state) ? keep(event, state) : refuse(orphanText('Event event'))
}

/** The objects of everything that waits in this repository's identifier arrive: what they complete is served. */
export function pushToGraspToday(address: string, state: GraspTodayState): void {
  const d = identifierOf(address)
  const waiting = state.purgatory.events().filter((event) => identifiersOf(event).includes(d))
  receiveObjects(address, waiting.flatMap(commitsOf), state)
}

/** These objects arrive in this repository's identifier: what they complete is served. */
export function receiveObjects(address: string, ids: readonly string[], state: GraspTodayState): void {
  const d = identifierOf(address)
  const known = state.commits.get(d) ?? new Set<string>()
  state.commits.set(d, known)
  for (const id of ids) known.add(id)
  const released = state.purgatory.release(
    (event) => event.kind !== ANNOUNCEMENT && identifiersOf(event).includes(d) && areKnown(event, state),
  )
  for (const event of released) serve(event, state)
}

/** Takes what is no longer served out of sight; it remains a gate. */
export function hideUnserved({ tombstones, events }: GraspTodayState): void {
  for (const { id } of tombstones.unserved()) events.delete(id)
}

function gateText(event: NostrEvent, { tombstones, events }: GraspTodayState): string | undefined {
  if (events.has(event.id) || tombstones.has(event.id)) return undefined
  const gate = tombstones.gate(event)
  if (gate === undefined) return undefined
  return gate === 'vanished' ? 'invalid: this pubkey has requested to vanish' : 'invalid: this event is deleted'
}

function judgeAnnouncement(event: NostrEvent, state: GraspTodayState): EventReply {
  if (state.events.has(event.id)) return take('duplicate: event stored')
  const known = [...knownAnnouncements(identifierOf(addressText(event)), state).values()]
  const isListed = known.some((other) => listedBy(other).has(event.pubkey))
  const namesUs = namesService(event, state.host)
  if (!namesUs && !isListed) {
    return refuse(
      "invalid: Announcement must list service in both 'clone' and 'relays' tags, or match archive whitelist. Found clone URLs: [], relays: []",
    )
  }
  const stored = storedVersion(event, state)
  if (stored !== undefined && isNewerVersion(stored, event)) return take('duplicate: superseded by a newer event')
  const isSettled = stored !== undefined && (hasSameList(stored, event) || hasStoredState(event, state))
  return !namesUs || isSettled ? keep(event, state) : holdBack(event, addressText(event), state)
}

function judgeState(event: NostrEvent, state: GraspTodayState): EventReply {
  const known = knownAnnouncements(identifierOf(addressText(event)), state)
  if (known.size === 0) return refuse('invalid: no announcement exists for this repository')
  if (state.events.has(event.id)) return take('duplicate: already have this event')
  if (!mayPushState(event.pubkey, known)) return refuse('restricted: author not authorized for this repository')
  if (state.purgatory.has(event.id)) return take('duplicate: in purgatory')
  return areKnown(event, state) ? serve(event, state) : holdBack(event, event.id, state)
}

function judgePullRequest(event: NostrEvent, state: GraspTodayState): EventReply {
  if (state.events.has(event.id)) return take('duplicate: already have this event')
  if (state.purgatory.has(event.id)) return take('duplicate: in purgatory')
  if (!isHosted(event, state) && !isReferred(event, state)) return refuse(orphanText('PR event'))
  const [commit] = commitsOf(event)
  if (commit === undefined) return refuse(`invalid: PR event ${event.id} has no 'c' tag`)
  if (areKnown(event, state)) return keep(event, state)
  state.purgatory.put(event, event.id)
  return take(`purgatory: PR event stored, waiting for git push with commit ${commit}`)
}

function judgeRequest(event: NostrEvent, state: GraspTodayState): EventReply {
  const { events, tombstones, purgatory, host } = state
  if (tombstones.has(event.id)) return take(events.has(event.id) ? 'duplicate: event stored' : UNSERVED)
  const named = event.tags.filter(([name = '']) => ['e', 'a'].includes(name))
  if (event.kind === 5 && named.length > TARGETS_MOST) return refuse('invalid: too many deletion targets')
  const isOfOther = named.some(([, value = '']) => (events.get(value)?.pubkey ?? event.pubkey) !== event.pubkey)
  if (event.kind === 5 && isOfOther) return refuse('invalid: cannot delete event authored by another pubkey')
  const isTarget = (other: NostrEvent): boolean =>
    other.pubkey === event.pubkey && (deletes(event, other) || (vanishes(event, host) && other.kind !== 62))
  const targets = [...events.values()].filter(isTarget).concat(purgatory.release(isTarget))
  for (const target of targets) removeWithChildren(target, state)
  tombstones.add(event)
  if (targets.length > 0) for (const target of targets) tombstones.gate(target)
  return keep(event, state)
}

/** What depends on a repository that is no longer served is out of sight, and comes back with a newer announcement. */
function removeWithChildren(target: NostrEvent, { events, holding }: GraspTodayState): void {
  events.delete(target.id)
  if (target.kind !== ANNOUNCEMENT) return
  const gone = new Set([addressText(target), `${STATE}${addressText(target).slice(5)}`])
  const held: NostrEvent[] = []
  for (let size = -1; size < held.length;) {
    size = held.length
    for (const event of events.values()) {
      const isChild = event.tags.some(([, value = '']) => gone.has(value)) || gone.has(addressText(event))
      if (!isChild || event.kind === 5 || event.kind === ANNOUNCEMENT) continue
      held.push(event)
      gone.add(event.id)
      events.delete(event.id)
    }
  }
  holding.set(addressText(target), held)
}

/** Stores a state or pull request whose objects are there; the announcements that a state is valid for come with it. */
function serve(event: NostrEvent, state: GraspTodayState): EventReply {
  const reply = keep(event, state)
  if (event.kind !== STATE) return reply
  const known = knownAnnouncements(identifierOf(addressText(event)), state)
  const freed = state.purgatory.release(
    (other) => known.get(other.pubkey)?.id === other.id && authorityOf(other.pubkey, known).has(event.pubkey),
  )
  for (const announcement of freed) keep(announcement, state)
  return reply
}

function holdBack(event: NostrEvent, place: string, { purgatory }: GraspTodayState): EventReply {
  purgatory.put(event, place)
  return take(HELD_BACK)
}

function keep(event: NostrEvent, { events, holding }: GraspTodayState): EventReply {
  const { ok, text, stored } = storeEvent(events, event, false)
  if (stored) {
    for (const child of holding.get(addressText(event)) ?? []) storeEvent(events, child, false)
    holding.delete(addressText(event))
  }
  return take(ok || !text.startsWith('replaced') ? 'duplicate: event stored' : 'duplicate: superseded by a newer event')
}

/** Announcements of an identifier, pending ones before stored ones of the same author. */
function knownAnnouncements(d: string, { events, purgatory }: GraspTodayState): ReadonlyMap<string, NostrEvent> {
  const all = [...events.values(), ...purgatory.events()]
  const ofIdentifier = all.filter((event) => event.kind === ANNOUNCEMENT && identifierOf(addressText(event)) === d)
  return new Map(ofIdentifier.map((event) => [event.pubkey, event]))
}

function storedVersion(event: NostrEvent, { events }: GraspTodayState): NostrEvent | undefined {
  return [...events.values()].find((other) => addressOf(other) === addressOf(event))
}

function hasSameList(one: NostrEvent, other: NostrEvent): boolean {
  return [...listedBy(one)].sort().join() === [...listedBy(other)].sort().join()
}

function hasStoredState(event: NostrEvent, state: GraspTodayState): boolean {
  const d = identifierOf(addressText(event))
  const known = new Map(knownAnnouncements(d, state)).set(event.pubkey, event)
  const allowed = authorityOf(event.pubkey, known)
  return [...state.events.values()].some(
    (other) => other.kind === STATE && identifierOf(addressText(other)) === d && allowed.has(other.pubkey),
  )
}

/** Its `clone` is in its author's directory here, under the identifier of the repository that it is for. */
function isHosted(event: NostrEvent, { host, hosts }: GraspTodayState): boolean {
  const directory = `http://${host}/prs/${npubEncode(event.pubkey)}`
  const urls = identifiersOf(event).map((d) => `${directory}/${encodeURIComponent(d)}.git`)
  return hosts && event.tags.some(([name, ...values]) => name === 'clone' && values.some((url) => urls.includes(url)))
}

/** It refers to something stored, or something stored refers to it. */
function isReferred({ id, tags }: NostrEvent, { events }: GraspTodayState): boolean {
  const stored = [...events.values()]
  const served = new Set(stored.filter(({ kind }) => kind === ANNOUNCEMENT).map(addressText))
  const refersToStored = tags.some(
    ([name = '', value = '']) =>
      (['a', 'A', 'q'].includes(name) && served.has(value)) || (['e', 'E', 'q'].includes(name) && events.has(value)),
  )
  const isNamed = (event: NostrEvent): boolean =>
    event.kind !== 5 && event.tags.some(([name = '', value]) => ['e', 'E', 'q'].includes(name) && value === id)
  return refersToStored || stored.some(isNamed)
}

function areKnown(event: NostrEvent, { commits }: GraspTodayState): boolean {
  const wanted = commitsOf(event)
  return identifiersOf(event).some((d) => wanted.every((commit) => commits.get(d)?.has(commit) === true))
}

/** The commits that a state or a pull request names. */
function commitsOf({ kind, tags }: NostrEvent): string[] {
  const isCommit = ([name = '']: readonly string[]): boolean =>
    kind === STATE ? name.startsWith('refs/') : PULL_REQUESTS.includes(kind) && name === 'c'
  return tags.filter(isCommit).flatMap(([, commit]) => commit ?? [])
}

/** The identifiers of the repositories that an event belongs to. */
function identifiersOf(event: NostrEvent): string[] {
  if (event.kind === ANNOUNCEMENT || event.kind === STATE) return [identifierOf(addressText(event))]
  return event.tags.filter(([name]) => name === 'a').map(([, address = '']) => identifierOf(address))
}

function identifierOf(address: string): string {
  return address.split(':').slice(2).join(':')
}

function orphanText(what: string): string {
  return `restricted: ${what} must reference an accepted repository or accepted event`
}

function refuse(text: string): EventReply {
  return { ok: false, text, store: false }
}

function take(text: string): EventReply {
  return { ok: true, text, store: false }
}
