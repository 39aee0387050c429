import type { NostrEvent } from '../../src/nostr/event.ts'
import { storeEvent, type MemoryStore } from './memory-store.ts'
import type { Purgatory } from './purgatory.ts'
import type { EventReply } from './scripted-behaviour.ts'
import { isSigned } from './sign.ts'
import type { TokenBucket } from './token-bucket.ts'

/** What a GRASP relay decides by. */
export type GraspState = {
  readonly events: MemoryStore
  readonly purgatory: Purgatory
  /** Addresses of repositories whose git data has arrived. */
  readonly pushed: ReadonlySet<string>
  /** Ids that a deletion has removed. */
  readonly deleted: Set<string>
  /** The host and port that announcements must name in `clone` and `relays`. */
  readonly host: string
  readonly bucketOf: (connection: number) => TokenBucket
}

const ANNOUNCEMENT = 30_617
const STATE = 30_618
const PATCH = 1_617
const PULL_REQUEST = 1_618
const ISSUE = 1_621
const HELD_BACK = "purgatory: won't be served until git data arrives"

/** What ngit-grasp says to an event; what it takes is put where it belongs. Texts as shared/relays.md has them. */
export function judgeAsGrasp(event: NostrEvent, connection: number, state: GraspState): EventReply {
  if (!state.bucketOf(connection)()) return refuse('rate-limited: slow down')
  if (!isSigned(event)) return refuse('invalid: invalid event signature')
  if (state.events.has(event.id)) return take('duplicate: already have this event')
  if (state.deleted.has(event.id)) return refuse('blocked: this event is deleted')
  if (event.kind === ANNOUNCEMENT) return judgeAnnouncement(event, state)
  if (event.kind === STATE) return judgeState(event, state)
  if (event.kind === PULL_REQUEST) return judgePullRequest(event, state)
  if (event.kind === 5) return applyDeletion(event, state)
  return isAccepted(event, state) ? keep(event, state) : refuse(orphanText('Event'))
}

/** `kind:pubkey:d`, of an addressable event. */
export function addressText({ kind, pubkey, tags }: NostrEvent): string {
  return `${kind}:${pubkey}:${tags.find(([name]) => name === 'd')?.[1] ?? ''}`
}

/** The repository that a state belongs to. */
export function repositoryOfState(state: NostrEvent): string {
  return addressText({ ...state, kind: ANNOUNCEMENT })
}

function judgeAnnouncement(event: NostrEvent, state: GraspState): EventReply {
  if (!namesService(event, state.host)) {
    return refuse("Announcement must list service in both 'clone' and 'relays' tags, or match archive whitelist.")
  }
  return state.pushed.has(addressText(event))
    ? keep(event, state)
    : holdBack(event, addressText(event), HELD_BACK, state)
}

function judgeState(event: NostrEvent, state: GraspState): EventReply {
  const repository = repositoryOfState(event)
  const announced = [...state.events.values(), ...state.purgatory.events()]
  if (!announced.some((other) => other.kind === ANNOUNCEMENT && addressText(other) === repository)) {
    return refuse('invalid: no announcement exists for this repository')
  }
  return state.pushed.has(repository) ? keep(event, state) : holdBack(event, addressText(event), HELD_BACK, state)
}

function judgePullRequest(event: NostrEvent, state: GraspState): EventReply {
  if (!isAccepted(event, state)) return refuse(orphanText('PR event'))
  const commit = event.tags.find(([name]) => name === 'c')?.[1] ?? ''
  return holdBack(event, event.id, `purgatory: PR event stored, waiting for git push with commit ${commit}`, state)
}

/** It removes what is there; what comes later gets in. */
function applyDeletion(event: NostrEvent, state: GraspState): EventReply {
  const names = (kind: string, value: string): boolean => event.tags.some(([k, v]) => k === kind && v === value)
  const isTarget = (other: NostrEvent): boolean =>
    other.pubkey === event.pubkey &&
    other.kind !== 5 &&
    (names('e', other.id) || (names('a', addressText(other)) && other.created_at <= event.created_at))
  const targets = [...state.events.values()].filter(isTarget).concat(state.purgatory.release(isTarget))
  for (const { id } of targets) {
    state.events.delete(id)
    state.deleted.add(id)
  }
  return keep(event, state)
}

function holdBack(event: NostrEvent, address: string, text: string, { purgatory }: GraspState): EventReply {
  const isThere = purgatory.has(event.id)
  purgatory.put(event, address)
  return { ok: true, text: isThere ? 'duplicate: in purgatory' : text, store: false }
}

/** An older version of what is served is dropped without a reason. */
function keep(event: NostrEvent, { events }: GraspState): EventReply {
  const { stored } = storeEvent(events, event, false)
  return stored ? { ok: true, text: '', store: false } : refuse('error: unknown')
}

/** Roots need a repository that is served, all else that or an event that is. */
function isAccepted({ kind, tags }: NostrEvent, { events }: GraspState): boolean {
  const served = new Set([...events.values()].filter((event) => event.kind === ANNOUNCEMENT).map(addressText))
  const isRoot = [PATCH, PULL_REQUEST, ISSUE].includes(kind)
  return tags.some(([name = '', value = '']) => {
    if (['a', 'A', 'q'].includes(name) && served.has(value)) return true
    return !isRoot && ['e', 'E', 'q'].includes(name) && events.has(value)
  })
}

/** Whether an announcement names this `host:port` in `clone` and in `relays`. */
export function namesService({ tags }: NostrEvent, host: string): boolean {
  const hasHost = (tag: string): boolean =>
    tags.some(([name, ...urls]) => name === tag && urls.some((url) => URL.canParse(url) && new URL(url).host === host))
  return hasHost('clone') && hasHost('relays')
}

function orphanText(what: 'Event' | 'PR event'): string {
  return `${what === 'Event' ? 'Event event' : what} must reference an accepted repository or accepted event`
}

function refuse(text: string): EventReply {
  return { ok: false, text, store: false }
}

function take(text: string): EventReply {
  return { ok: true, text, store: false }
}
