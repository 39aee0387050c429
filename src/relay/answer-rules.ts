import { isProtected, type NostrEvent } from '../nostr/event.ts'
import type { Outcome } from '../nostr/outcome.ts'
import type { UnixSeconds } from '../time.ts'

/**
 * What makes a relay accept an event that it refused: `parent`, a parent or an announcement that it accepts;
 * `participation`, the author takes part in a thread that it serves; `operator`, its operator changes the rules;
 * `gate`, the deletion or vanish request no longer blocks it; `never`, nothing.
 */
export type Cure = 'parent' | 'participation' | 'operator' | 'gate' | 'never'

/**
 * `unauthorized`: an orphan whose siblings may still be accepted. `unlisted`: an announcement that nobody vouches for.
 */
type Meaning =
  Outcome | 'not yet' | 'orphan' | 'unauthorized' | 'unlisted' | 'error' | 'rate-limited' | 'auth-required' | 'door'

/** One line of the table. A missing condition matches every answer. */
export type AnswerRule = {
  /** The word before the first colon (NIP-01). */
  readonly prefix?: string
  /** Matches the text after the prefix, or the whole text if there is no prefix. */
  readonly says?: RegExp
  readonly when?: (event: NostrEvent, now: UnixSeconds) => boolean
  readonly means: Meaning
  readonly cure?: Cure
  /** The prefix alone does not tell whether the relay refuses this event or refuses us. */
  readonly isVague?: true
}

/**
 * Every answer we know; the first match wins. Texts of relays whose source we have read come first, then the prefixes
 * of NIP-01.
 *
 * A text matches with any prefix or none, and for any software: versions of a relay and of its library send the same
 * words bare, as `blocked:`, as `invalid:` or as `restricted:`, and no text means different things at different relays.
 * Authors control parts of some texts, so `^` anchors them.
 */
export const ANSWER_RULES: { readonly accepted: readonly AnswerRule[]; readonly rejected: readonly AnswerRule[] } = {
  accepted: [
    { prefix: 'purgatory', means: 'pending' },
    // One prefix, five meanings (ngit-grasp 3): stored now or before, pending, superseded, or held but not served.
    { prefix: 'duplicate', says: /^event stored$/, means: 'accepted' },
    { prefix: 'duplicate', says: /^in purgatory/, means: 'pending' },
    { prefix: 'duplicate', says: /^superseded by a newer event/, means: 'superseded' },
    { prefix: 'duplicate', means: 'duplicate' },
    { means: 'accepted' },
  ],
  rejected: [
    { prefix: 'rate-limited', means: 'rate-limited' },

    // The parent is missing or still waits for its git data (ngit-grasp, ngit-relay).
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

    // The identifier becomes a directory name there. Authors choose the text before this end (ngit-grasp).
    { prefix: 'error', says: /: File name too long \(os error \d+\)$/, means: 'refused', cure: 'never' },

    // The relay's disk or database is in trouble; that says nothing about the event (ngit-grasp).
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

    // Malformed events of other kinds (ngit-grasp).
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

    // We are banned. `blocked: pubkey is banned` and the like are about the author of the event.
    { says: /^authenticated pubkey is not whitelisted/, means: 'door' },
    { says: /^you(?: are|'re) not a member\b/i, means: 'door' },
    { says: /^you(?: are|'re| have been) (?:\w+ )?(?:banned|blocked|blacklisted)\b/i, means: 'door' },
    { says: /^(?:your )?ip(?: address)?(?: \S+)?(?: is| has been)? (?:banned|blocked|blacklisted)\b/i, means: 'door' },
    { says: /^(?!your ).* is blacklisted$/s, means: 'refused', cure: 'operator' },

    // We verify what we send, so no other `invalid:` can mean what NIP-01 says.
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
