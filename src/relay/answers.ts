import type { NostrEvent } from '../nostr/event.ts'
import { KIND } from '../nostr/kinds.ts'
import type { Outcome } from '../nostr/outcome.ts'
import type { UnixSeconds } from '../time.ts'
import { ANSWER_RULES, type AnswerRule, type Cure } from './answer-rules.ts'

export type { Cure } from './answer-rules.ts'

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
      /** The text may be about us: when it is all that a target says, it is the door. */
      readonly isVague?: true
      /** The relay does not take the event before this time. */
      readonly retryAt?: UnixSeconds
      /** Refused because its parent is not accepted (yet): `siblings` would be refused as well, or only it `alone`. */
      readonly orphan?: 'siblings' | 'alone'
      /** An announcement that does not name the relay: taken all the same once one that lists its author is there. */
      readonly isUnlisted?: true
      /** An `error:` of the relay: `superseded` if it serves a newer version of the address, else `waiting`. */
      readonly error?: true
    }
  /** Not about the event: slow down and send it again. */
  | { readonly type: 'rate-limited' }
  /** Not about the event: authenticate once and send it again; without a key, the door. */
  | { readonly type: 'auth-required' }
  /** Not about the event but about us: publishing stops. `why` is the relay's text. */
  | { readonly type: 'door'; readonly why: string }

/** What a relay's OK means. Each of its texts and prefixes is one line of `answer-rules.ts`. */
export function classifyAnswer(answer: OkAnswer): Classification {
  const rule = findRule(ANSWER_RULES[answer.accepted ? 'accepted' : 'rejected'], answer.text, answer)
  if (rule === undefined) return { type: 'outcome', outcome: 'waiting', known: false, isVague: true }
  return explain(rule, answer)
}

/** What would make a relay take what it refused with this text; `undefined` when nobody knows. */
export function cureOf(text: string): Cure | undefined {
  return findRule(ANSWER_RULES.rejected, text, undefined)?.cure
}

/**
 * Whether a relay holds this event without ever serving it again: a request for deletion (NIP-09) or to vanish (NIP-62)
 * that it calls a duplicate. ngit-grasp serves them for some months only, and keeps their effect.
 */
export function isHeldUnserved(event: NostrEvent, text: string): boolean {
  return (event.kind === KIND.deletion || event.kind === KIND.vanishRequest) && splitText(text).prefix === 'duplicate'
}

/** Whether a relay that took an event says that it waits for git data (ngit-grasp). */
export function isInPurgatory(text: string): boolean {
  return /purgatory/i.test(text)
}

/** Whether the reason for which a REQ was not answered is about us: the door is closed for reading. */
export function isDoorForReading(reason: string): boolean {
  return /\bclosed: (?:auth-required|restricted):/.test(reason)
}

/**
 * The relay's words when it wants to know who we are (NIP-42), in what it said to an EVENT or in why a REQ was not
 * answered.
 */
export function demandForKey(reason: string): string | undefined {
  return /(?:^|\bclosed: |\bCLOSED after EOSE: )(auth-required:.*?)(?: on page \d+)?$/s.exec(reason)?.[1]
}

/** The first rule that fits. Without the answer, of rules that depend on the event none does. */
function findRule(rules: readonly AnswerRule[], text: string, answer: OkAnswer | undefined): AnswerRule | undefined {
  const { prefix, body } = splitText(text)
  return rules.find(
    ({ prefix: wanted = prefix, says, when }) =>
      wanted === prefix &&
      (says === undefined || says.test(body)) &&
      (when === undefined || (answer !== undefined && when(answer.event, answer.now))),
  )
}

function explain({ means, isVague }: AnswerRule, { event, text }: OkAnswer): Classification {
  const vague = isVague === undefined ? {} : { isVague }
  const waiting = { type: 'outcome', outcome: 'waiting', known: true, ...vague } as const
  switch (means) {
    case 'rate-limited':
    case 'auth-required':
      return { type: means }
    case 'door':
      return { type: 'door', why: text }
    case 'orphan':
      return { ...waiting, orphan: 'siblings' }
    case 'unauthorized':
      return { ...waiting, orphan: 'alone' }
    case 'unlisted':
      return { ...waiting, outcome: 'refused', isUnlisted: true }
    case 'error':
      return { ...waiting, error: true }
    case 'not yet':
      return { ...waiting, retryAt: event.created_at }
    default:
      return { ...waiting, outcome: means }
  }
}

function splitText(text: string): { prefix: string; body: string } {
  const colon = text.indexOf(':')
  const prefix = (colon === -1 ? text : text.slice(0, colon)).trimStart()
  const word = colon === -1 ? prefix.trimEnd() : prefix
  if (!/^[a-z][a-z-]*$/i.test(word)) return { prefix: '', body: text.trim() }
  return { prefix: word.toLowerCase(), body: colon === -1 ? '' : text.slice(colon + 1).trimStart() }
}
