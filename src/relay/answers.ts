import { isProtected, type NostrEvent } from '../nostr/event.ts'
import type { Outcome } from '../nostr/outcome.ts'
import type { UnixSeconds } from '../time.ts'

/** A relay's OK to one event. */
export type OkAnswer = {
  readonly accepted: boolean
  /** The relay's words, as they came. */
  readonly text: string
  readonly event: NostrEvent
  readonly now: UnixSeconds
}

/** What an OK means for the event, or for the run. */
export type Classification =
  | {
      readonly type: 'outcome'
      readonly outcome: Outcome
      /** False when no rule knows the text: the event waits and the text is shown. */
      readonly known: boolean
      /** The relay does not take the event before this time. */
      readonly retryAt?: UnixSeconds
      /** Refused because its parent is not accepted (yet): its siblings would be refused as well. */
      readonly orphan?: true
      /** An `error:` of the relay: `superseded` if it serves a newer version of the address, else `waiting`. */
      readonly error?: true
    }
  /** Not about the event: slow down and send it again. */
  | { readonly type: 'rate-limited' }
  /** Not about the event: authenticate once and send it again; without a key, the door. */
  | { readonly type: 'auth-required' }
  /** Not about the event but about us: publishing stops. `why` is the relay's text. */
  | { readonly type: 'door'; readonly why: string }

type Meaning = Outcome | 'not yet' | 'orphan' | 'error' | 'rate-limited' | 'auth-required' | 'door'

/** One line of the table. A condition that is left out holds for every answer. */
type Rule = {
  /** The word before the first colon (NIP-01). */
  readonly prefix?: string
  /** What follows the prefix; the whole text when there is none. */
  readonly says?: RegExp
  readonly when?: (event: NostrEvent, now: UnixSeconds) => boolean
  readonly means: Meaning
}

/**
 * Every answer we know, the first match counts: texts of relays whose source we have read, then the prefixes of NIP-01.
 *
 * Texts are matched behind any prefix or none and whatever software the relay claims to run: the same words come bare, as
 * `blocked:`, as `invalid:` and as `restricted:`, by the version of the relay and of the library below it, and no text
 * means one thing at one relay and another at the next. Authors choose parts of some texts: `^` keeps them in their place.
 */
const RULES: { readonly accepted: readonly Rule[]; readonly rejected: readonly Rule[] } = {
  accepted: [
    { prefix: 'purgatory', means: 'pending' },
    { prefix: 'duplicate', says: /^in purgatory/, means: 'pending' },
    { prefix: 'duplicate', means: 'duplicate' },
    { means: 'accepted' },
  ],
  rejected: [
    { prefix: 'rate-limited', means: 'rate-limited' },

    // The parent is not there, or still waits for its git data (ngit-grasp, ngit-relay).
    { says: /^\w+ event must reference an accepted repository or accepted event/, means: 'orphan' },
    { says: /^no announcement exists for this repository/, means: 'orphan' },
    { says: /^event does not relate to a stored repository/, means: 'orphan' },
    { says: /^author not authorized for this repository/, means: 'waiting' },

    // Its disk or its database is in trouble, which says nothing of the event (ngit-grasp).
    { says: /^database (?:error|query failed)\b/i, means: 'waiting' },
    { says: /^(?:git init failed|Failed to check git data): /, means: 'waiting' },

    { says: /^this event (?:is|has been) deleted/, means: 'deleted' },
    { says: /^accepted deletion request for this event/, means: 'deleted' },
    { prefix: 'deleted', means: 'deleted' },
    { says: /^(?:event (?:is )?expired|the event has already expired)/i, means: 'expired' },

    { says: /^event marked as protected/, means: 'protected' },
    { says: /\bpublished by (?:its|the|(?:authenticated )?event) author/, when: isProtected, means: 'protected' },
    { prefix: 'auth-required', when: isProtected, means: 'protected' },

    { prefix: 'replaced', means: 'superseded' },
    { prefix: 'duplicate', means: 'duplicate' },
    { says: /^event (?:(?:is )?too large|size .* exceeds maximum)/, means: 'too-large' },

    { says: /^(?:event too much in the future|created_at too late)/, means: 'not yet' },
    { says: /^(?:created_at too early|event creation date must be newer than)/, means: 'refused' },
    { says: /^event creation date must be older than/, means: 'not yet' },
    { says: /\bcreated_at\b|\b(?:creation date|timestamp) is too far/, when: isAhead, means: 'not yet' },

    // Announcements (ngit-grasp).
    { says: /^Announcement must list service in both /, means: 'refused' },
    { says: /^(?:Invalid announcement|Invalid identifier|Failed to parse announcement): /, means: 'refused' },
    { says: /^(?:Missing required 'd' tag|Archive read-only mode: )/, means: 'refused' },

    // A ban of ours; `blocked: pubkey is banned` and its like are about the author of the event.
    { says: /^you(?: are|'re| have been) (?:\w+ )?(?:banned|blocked|blacklisted)\b/i, means: 'door' },
    { says: /^(?:your )?ip(?: address)?(?: \S+)?(?: is| has been)? (?:banned|blocked|blacklisted)\b/i, means: 'door' },
    { says: /^(?!your ).* is blacklisted$/s, means: 'refused' },

    { prefix: 'invalid', means: 'invalid' },
    { prefix: 'pow', means: 'refused' },
    { prefix: 'blocked', means: 'refused' },
    { prefix: 'mute', means: 'refused' },
    { prefix: 'error', means: 'error' },
    { prefix: 'restricted', means: 'door' },
    { prefix: 'auth-required', means: 'auth-required' },
  ],
}

/** What a relay's OK means. Each of its texts and prefixes is one line of the table above. */
export function classifyAnswer(answer: OkAnswer): Classification {
  const { prefix, body } = splitText(answer.text)
  const rule = RULES[answer.accepted ? 'accepted' : 'rejected'].find(
    ({ prefix: wanted = prefix, says, when }) =>
      wanted === prefix &&
      (says === undefined || says.test(body)) &&
      (when === undefined || when(answer.event, answer.now)),
  )
  if (rule === undefined) return { type: 'outcome', outcome: 'waiting', known: false }
  return explain(rule.means, answer)
}

/** Whether the reason for which a REQ was not answered is about us: the door is closed for reading. */
export function isDoorForReading(reason: string): boolean {
  return /\bclosed: (?:auth-required|restricted):/.test(reason)
}

/** The relay's words when it wants to know who we are (NIP-42), in what it said to an EVENT or in why a REQ was not answered. */
export function demandForKey(reason: string): string | undefined {
  return /(?:^|\bclosed: )(auth-required:.*?)(?: on page \d+)?$/s.exec(reason)?.[1]
}

function explain(meaning: Meaning, { event, text }: OkAnswer): Classification {
  switch (meaning) {
    case 'rate-limited':
    case 'auth-required':
      return { type: meaning }
    case 'door':
      return { type: 'door', why: text }
    case 'orphan':
      return { type: 'outcome', outcome: 'waiting', known: true, orphan: true }
    case 'error':
      return { type: 'outcome', outcome: 'waiting', known: true, error: true }
    case 'not yet':
      return { type: 'outcome', outcome: 'waiting', known: true, retryAt: event.created_at }
    default:
      return { type: 'outcome', outcome: meaning, known: true }
  }
}

function splitText(text: string): { prefix: string; body: string } {
  const match = /^\s*([a-z][a-z-]*)(?::\s*(.*)|\s*)$/is.exec(text)
  if (match === null) return { prefix: '', body: text.trim() }
  const [, prefix = '', body = ''] = match
  return { prefix: prefix.toLowerCase(), body }
}

function isAhead(event: NostrEvent, now: UnixSeconds): boolean {
  return event.created_at > now
}
