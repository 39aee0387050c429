import type { ObjectId, Refs } from '../git/git-access.ts'
import { tagValues, type NostrEvent } from '../nostr/event.ts'
import { isRefName } from '../git/ref-name.ts'

/** What signed events say that a git repository holds. */
export type WantedRefs = {
  /** `refs/heads/…` and `refs/tags/…` of the state; null if there is no state. */
  readonly refs: Refs | null
  /** The ref that HEAD stands for; null if the state does not say. */
  readonly head: string | null
  /** `refs/nostr/<event id>` of each pull request and update. */
  readonly tips: Refs
}

/** A state event (30618), read. `dropped`: refs that no repository can have, or beyond the first 10,000. */
export type ReadState = {
  readonly refs: Refs
  readonly head: string | null
  readonly dropped: number
}

/** How many refs a state may name, and how many tips a repository may have. */
export const MAX_REFS = 10_000

const OBJECT_ID = /^(?!0+$)(?:[0-9a-f]{40}|[0-9a-f]{64})$/
const BRANCH_OR_TAG = /^refs\/(?:heads|tags)\//
const PEELED = '^{}'
const SYMBOLIC = 'ref: '

/**
 * Reads a state event (NIP-34): `["refs/heads/main", "<object id>"]`, `["HEAD", "ref: refs/heads/main"]`. Leaves out
 * peeled tags (`^{}`). Of two tags for one ref the first counts.
 */
export function readState(event: NostrEvent): ReadState {
  const refs = new Map<string, ObjectId>()
  let dropped = 0
  for (const [name = '', value = ''] of event.tags) {
    if (!BRANCH_OR_TAG.test(name) || name.endsWith(PEELED)) continue
    if (refs.size < MAX_REFS && !refs.has(name) && isRefName(name) && OBJECT_ID.test(value)) refs.set(name, value)
    else dropped += 1
  }
  return { refs, head: readHead(event), dropped }
}

/** The tip that a pull request (1618) or its update (1619) names: its ref and its object id; undefined without one. */
export function readTip(event: NostrEvent): readonly [ref: string, id: ObjectId] | undefined {
  const id = tagValues(event, 'c')[0] ?? ''
  return OBJECT_ID.test(id) ? [`refs/nostr/${event.id}`, id] : undefined
}

/** Every object id that is wanted. */
export function wantedIds({ refs, tips }: WantedRefs): ReadonlySet<ObjectId> {
  return new Set([...(refs?.values() ?? []), ...tips.values()])
}

function readHead(event: NostrEvent): string | null {
  const text = tagValues(event, 'HEAD')[0] ?? ''
  const ref = text.startsWith(SYMBOLIC) ? text.slice(SYMBOLIC.length) : ''
  return ref.startsWith('refs/heads/') && isRefName(ref) ? ref : null
}
