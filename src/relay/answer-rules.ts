import { isProtected, type NostrEvent } from '../nostr/event.ts'
import type { Outcome } from '../nostr/outcome.ts'
import type { UnixSeconds } from '../time.ts'

/**
 * What makes a relay change its mind about an event that it refused: a `parent` or an announcement that it takes; the
 * author's `participation` in a thread that it serves; its `operator`; the end of a deletion's `gate`; or nothing.
 */
export type Cure = 'parent' | 'participation' | 'operator' | 'gate' | 'never'

/**
 * `unauthorized` is an orphan whose siblings may be taken all the same; `unlisted` an announcement that nobody vouches
 * for.
 */
type Meaning =
  Outcome | 'not yet' | 'orphan' | 'unauthorized' | 'unlisted' | 'error' | 'rate-limited' | 'auth-required' | 'door'

/** One line of the table. A condition that is left out holds for every answer. */
export type AnswerRule = {
  /** The word before the first colon (NIP-01). */
  readonly prefix?: string
  /** What follows the prefix; the whole text when there is none. */
  readonly says?: RegExp
  readonly when?: (event: NostrEvent, now: UnixSeconds) => boolean
  readonly means: Meaning
  readonly cure?: Cure
  /** The prefix alone does not tell whether the event is meant, or we are. */
  readonly isVague?: true
}

/**
 * Every answer we know, the first match counts: texts of relays whose source we have read, then the prefixes of NIP-01.
 *
 * Texts are matched behind any prefix or none and whatever software the relay claims to run: the same words come bare,
 * as `blocked:`, as `invalid:` and as `restricted:`, by the version of the relay and of the library below it, and no
 * text means one thing at one relay and another at the next. Authors choose parts of some texts: `^` keeps them in
 * their place.
 */
export const ANSWER_RULES: { readonly accepted: readonly AnswerRule[]; readonly rejected: readonly AnswerRule[] } = {
  accepted: [
    { prefix: 'purgatory', means: 'pending' },
    // Five meanings of one prefix (ngit-grasp 3): stored now or before, pending, beaten, or held without being served.
    { prefix: 'duplicate', says: /^event stored$/, means: 'accepted' },
    { prefix: 'duplicate', says: /^in purgatory/, means: 'pending' },
    { prefix: 'duplicate', says: /^superseded by a newer event/, means: 'superseded' },
    { prefix: 'duplicate', means: 'duplicate' },
    { means: 'accepted' },
  ],
  rejected: [
    { prefix: 'rate-limited', means: 'rate-limited' },

    // The parent is not there, or still waits for its git data (ngit-grasp, ngit-relay).
    {
      says: /^\w+ event must reference an accepted repository or accepted event/,
      means: 'orphan',
      cure: 'parent',
    },
    { says: /^no announcement exists for this repository/, means: 'orphan', cure: 'parent' },
    { says: /^event does not relate to a stored repository/, means: 'orphan', cure: 'parent' },
    { says: /^author not authorized for this repository/, means: 'unauthorized', cure: 'parent' },
    {
      says: /^Kind \S+ author must participate in an accepted repository thread/,
      means: 'refused',
      cure: 'participation',
    },

    // An identifier is the name of a directory there. Authors choose what stands before this end (ngit-grasp).
    { prefix: 'error', says: /: File name too long \(os error \d+\)$/, means: 'refused', cure: 'never' },

    // Its disk or its database is in trouble, which says nothing of the event (ngit-grasp).
    { says: /^database (?:error|query failed)\b/i, means: 'waiting' },
    { says: /^(?:git init failed|Failed to check git data|Failed to parse stored announcement): /, means: 'waiting' },
    { says: /^(?:Event persistence failed|Cannot prepare event persistence): /, means: 'waiting' },
    { prefix: 'error', says: /^internal error\b/, means: 'waiting' },

    { says: /^this event (?:is|has been) deleted/, means: 'deleted', cure: 'gate' },
    { says: /^accepted deletion request for this event/, means: 'deleted', cure: 'gate' },
    { says: /^this pubkey has requested to vanish/, means: 'vanished', cure: 'gate' },
    { prefix: 'deleted', means: 'deleted' },
    { says: /^(?:event (?:is )?expired|the event has already expired)/i, means: 'expired', cure: 'never' },

    { says: /^event marked as protected/, means: 'protected', cure: 'never' },
    {
      says: /\bpublished by (?:its|the|(?:authenticated )?event) author/,
      when: isProtected,
      means: 'protected',
      cure: 'never',
    },
    { prefix: 'auth-required', when: isProtected, means: 'protected', cure: 'never' },

    { prefix: 'replaced', means: 'superseded' },
    { prefix: 'duplicate', means: 'duplicate' },
    { says: /^event (?:(?:is )?too large|size .* exceeds maximum)/, means: 'too-large', cure: 'never' },

    { says: /^(?:event too much in the future|created_at too late)/, means: 'not yet' },
    { says: /^(?:created_at too early|event creation date must be newer than)/, means: 'refused' },
    { says: /^event creation date must be older than/, means: 'not yet' },
    { says: /\bcreated_at\b|\b(?:creation date|timestamp) is too far/, when: isAhead, means: 'not yet' },

    // Announcements (ngit-grasp).
    { says: /^Announcement must list service in both /, means: 'unlisted', cure: 'parent' },
    { says: /^Announcement lists service but does not match repository whitelist/, means: 'refused', cure: 'operator' },
    { says: /^Announcement author is not authorized on this private service/, means: 'refused', cure: 'operator' },
    { says: /^Archive read-only mode: /, means: 'refused', cure: 'operator' },
    {
      says: /^(?:Invalid announcement|Invalid identifier|Failed to parse announcement): /,
      means: 'refused',
      cure: 'never',
    },
    { says: /^Missing required 'd' tag/, means: 'refused', cure: 'never' },

    // Shapes of other kinds that it does not take (ngit-grasp).
    { says: /^PR event \S+ has no 'c' tag/, means: 'refused', cure: 'never' },
    {
      says: /^(?:cannot delete event authored by another pubkey|too many deletion targets)/,
      means: 'refused',
      cure: 'never',
    },
    {
      says: /^(?:repost of a protected event|GiftWrap must contain exactly one recipient)/,
      means: 'refused',
      cure: 'never',
    },

    // A ban of ours; `blocked: pubkey is banned` and its like are about the author of the event.
    { says: /^authenticated pubkey is not whitelisted/, means: 'door' },
    { says: /^you(?: are|'re) not a member\b/i, means: 'door' },
    { says: /^you(?: are|'re| have been) (?:\w+ )?(?:banned|blocked|blacklisted)\b/i, means: 'door' },
    { says: /^(?:your )?ip(?: address)?(?: \S+)?(?: is| has been)? (?:banned|blocked|blacklisted)\b/i, means: 'door' },
    { says: /^(?!your ).* is blacklisted$/s, means: 'refused', cure: 'operator' },

    // We have verified what we send, so no other `invalid:` can be meant as NIP-01 has it.
    { prefix: 'invalid', says: /^invalid event (?:id|signature)\b/i, means: 'invalid', cure: 'never' },
    { prefix: 'invalid', means: 'refused', isVague: true },
    { prefix: 'pow', means: 'refused', isVague: true },
    { prefix: 'blocked', means: 'refused', isVague: true },
    { prefix: 'mute', means: 'refused', isVague: true },
    { prefix: 'error', means: 'error', isVague: true },
    { prefix: 'restricted', means: 'refused', isVague: true },
    { prefix: 'auth-required', means: 'auth-required' },
  ],
}

function isAhead(event: NostrEvent, now: UnixSeconds): boolean {
  return event.created_at > now
}
