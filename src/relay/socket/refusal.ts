/**
 * What a relay wants when it refuses a request, by its text in CLOSED, NEG-ERR or NOTICE. `pause`: the same later.
 * `fewer-requests`, `fewer-sessions`: fewer at once. `fewer-items`: the open reconciliations hold too much together.
 * `smaller`: the filter has too many values or is too long. `again`: the relay's own fault, repeat. `unreadable`: it
 * could not read one of our messages and does not say which. `final`: waiting or changing the request does not help.
 */
export type Refusal =
  | 'pause'
  | 'fewer-requests'
  | 'fewer-sessions'
  | 'fewer-items'
  | 'smaller'
  | 'again'
  | 'unreadable'
  | 'authenticate'
  | 'final'

/** The first match wins. Texts of ngit-grasp 3.0.10 (grasp.md, Limits) unless noted. */
const MEANINGS: readonly (readonly [says: RegExp, means: Refusal])[] = [
  [/\bexceeds max filter count\b/i, 'final'],
  // The second is strfry's.
  [/\btoo many (?:negentropy subscriptions|concurrent neg requests)\b/i, 'fewer-sessions'],
  [/\btoo many negentropy items\b/i, 'fewer-items'],
  [/\bactive subscriptions exceed max size\b/i, 'fewer-requests'],
  // bostr, damus, nostream, nostr-rs-relay, strfry: with or without a prefix, as CLOSED or NOTICE.
  [/\btoo many (?:concurrent |open |active )?(?:reqs|requests|subscriptions|subs)\b/i, 'fewer-requests'],
  [/\bmaximum concurrent subscription count reached\b/i, 'fewer-requests'],
  [/\btoo many (?:filter )?(?:values|elements|items|tags|tag values|authors|ids)\b/i, 'smaller'],
  [/\b(?:filter|request|req|message|query) (?:is |was )?too (?:large|big|long)\b/i, 'smaller'],
  [/\btoo (?:large|big|long) (?:filter|request|req|message|query)\b/i, 'smaller'],
  [/^rate-limited:/i, 'pause'],
  [/^auth-required:/i, 'authenticate'],
  [/\blive event buffer overflow\b/i, 'again'],
  [/^invalid client message\b/i, 'unreadable'],
  // strfry, about a REQ that it cannot read.
  [/^error: bad req\b/i, 'unreadable'],
]

/** Returns what this text asks of us. */
export function readRefusal(text: string): Refusal {
  return MEANINGS.find(([says]) => says.test(text))?.[1] ?? 'final'
}

/** Whether a NOTICE with this text takes the place of the answer to a REQ. */
export function isAnswerToRequest(notice: string): boolean {
  const refusal = readRefusal(notice)
  return refusal === 'unreadable' || refusal === 'fewer-requests' || refusal === 'smaller'
}
