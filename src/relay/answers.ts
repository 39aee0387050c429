import type { NostrEvent } from '../nostr/event.ts'
import { KIND } from '../nostr/kinds.ts'
import type { Outcome } from '../nostr/outcome.ts'
import type { UnixSeconds } from '../time.ts'
import { ANSWER_RULES, type AnswerRule, type Cure } from './answer-rules.ts'

export type { Cure } from './answer-rules.ts'

/** A relay's OK to one event. */
export type OkAnswer = {
  readonly accepted: boolean
  /** The relay's text, verbatim. */
  readonly text: string
  readonly event: NostrEvent
  readonly now: UnixSeconds
}

/** The meaning of an OK for the event, or for the run. */
export type Classification =
  | {
      readonly type: 'outcome'
      readonly outcome: Outcome
      /** False when no rule matches the text: the event waits and the report shows the text. */
      readonly known: boolean
      /** The text may be about us. If a target says nothing else, treat it as a closed door. */
      readonly isVague?: true
      /** The relay does not accept the event before this time. */
      readonly retryAt?: UnixSeconds
      /** Refused because its parent is not accepted (yet), along with its `siblings` or `alone`. */
      readonly orphan?: 'siblings' | 'alone'
      /** An announcement that does not name the relay; accepted once another announcement there lists its author. */
      readonly isUnlisted?: true
      /** The relay reported an `error:`. `superseded` if it serves a newer version of the address, else `waiting`. */
      readonly error?: true
    }
  /** Not about the event: slow down and send it again. */
  | { readonly type: 'rate-limited' }
  /** Not about the event: authenticate once and send it again. Without a key, this is a closed door. */
  | { readonly type: 'auth-required' }
  /** About us, not the event: publishing stops. `why` is the relay's text. */
  | { readonly type: 'door'; readonly why: string }

/** Returns the meaning of a relay's OK. `answer-rules.ts` has one line for each known text and prefix. */
export function classifyAnswer(answer: OkAnswer): Classification {
  const rule = findRule(ANSWER_RULES[answer.accepted ? 'accepted' : 'rejected'], answer.text, answer)
  if (rule === undefined) return { type: 'outcome', outcome: 'waiting', known: false, isVague: true }
  return explain(rule, answer)
}

/** Returns what would make a relay accept an event that it refused with this text; `undefined` when unknown. */
export function cureOf(text: string): Cure | undefined {
  return findRule(ANSWER_RULES.rejected, text, undefined)?.cure
}

/**
 * Whether a relay holds this event but never serves it again: a deletion (NIP-09) or request to vanish (NIP-62) that it
 * calls a duplicate. ngit-grasp serves them only for some months, but keeps applying them.
 */
export function isHeldUnserved(event: Pick<NostrEvent, 'kind'>, text: string): boolean {
  return (event.kind === KIND.deletion || event.kind === KIND.vanishRequest) && splitText(text).prefix === 'duplicate'
}

/** Whether a relay that accepted an event says that it waits for git data (ngit-grasp). */
export function isInPurgatory(text: string): boolean {
  return /purgatory/i.test(text)
}

/** Whether this reason for an unanswered REQ is about us: the door is closed for reading. */
export function isDoorForReading(reason: string): boolean {
  return /\bclosed: (?:auth-required|restricted):/.test(reason)
}

/**
 * Returns the relay's text if it demands authentication (NIP-42), from its answer to an EVENT or the reason why a REQ
 * failed.
 */
export function demandForKey(reason: string): string | undefined {
  return /(?:^|\bclosed: |\bCLOSED after EOSE: )(auth-required:.*?)(?: on page \d+)?$/s.exec(reason)?.[1]
}

/** Returns the first matching rule. Without `answer`, skips rules that depend on the event. */
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
