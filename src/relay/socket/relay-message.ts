/** A message of one subscription: REQ (NIP-01) or NEG-OPEN (NIP-77). `row` is the unparsed event. */
export type SubscriptionMessage =
  | { readonly type: 'event'; readonly subscription: string; readonly row: unknown }
  | { readonly type: 'eose'; readonly subscription: string; readonly hint?: 'finish' | 'more' }
  | { readonly type: 'closed'; readonly subscription: string; readonly reason: string }
  | { readonly type: 'neg-msg'; readonly subscription: string; readonly hex: string }
  | { readonly type: 'neg-err'; readonly subscription: string; readonly reason: string; readonly cap?: number }

/** A message from a relay (NIP-01, NIP-42, NIP-67, NIP-77). Texts are cut at 1,000 characters. */
export type RelayMessage =
  | SubscriptionMessage
  | { readonly type: 'ok'; readonly eventId: string; readonly accepted: boolean; readonly text: string }
  | { readonly type: 'notice'; readonly text: string }
  | { readonly type: 'auth'; readonly challenge: string }

/** The elements of a frame after its label. */
type Payload = readonly [first: string, second: unknown, third: unknown]

const MAX_TEXT_LENGTH = 1_000

const PARSERS: Readonly<Record<string, (payload: Payload) => RelayMessage | undefined>> = {
  EVENT: ([subscription, row]) => (row === undefined ? undefined : { type: 'event', subscription, row }),
  EOSE: ([subscription, hint]) => ({ type: 'eose', subscription, ...hintOf(hint) }),
  CLOSED: ([subscription, reason]) => ({ type: 'closed', subscription, reason: shortText(reason) }),
  OK: ([eventId, accepted, text]) =>
    typeof accepted === 'boolean' ? { type: 'ok', eventId, accepted, text: shortText(text) } : undefined,
  NOTICE: ([text]) => ({ type: 'notice', text: shortText(text) }),
  // A challenge must be signed verbatim, so a long one is not cut but ignored.
  AUTH: ([challenge]) => (challenge.length > MAX_TEXT_LENGTH ? undefined : { type: 'auth', challenge }),
  'NEG-MSG': ([subscription, hex]) => (isHex(hex) ? { type: 'neg-msg', subscription, hex } : undefined),
  'NEG-ERR': ([subscription, reason, cap]) => ({
    ...{ type: 'neg-err', subscription, reason: shortText(reason) },
    ...capOf(cap),
  }),
}

/** The message in a frame, or `undefined` if it is not one that we know. Never throws. */
export function parseRelayMessage(frame: string): RelayMessage | undefined {
  const message = parseJson(frame)
  if (!Array.isArray(message)) return undefined
  const [label, first, second, third] = message as readonly unknown[]
  if (typeof label !== 'string' || typeof first !== 'string' || !Object.hasOwn(PARSERS, label)) return undefined
  return PARSERS[label]?.([first, second, third])
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function shortText(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, MAX_TEXT_LENGTH) : ''
}

function isHex(value: unknown): value is string {
  return typeof value === 'string' && value.length % 2 === 0 && /^[0-9a-f]*$/i.test(value)
}

// NIP-67; ignores other words.
function hintOf(value: unknown): { hint?: 'finish' | 'more' } {
  return value === 'finish' || value === 'more' ? { hint: value } : {}
}

// strfry sends its cap as a number or as digits.
function capOf(value: unknown): { cap?: number } {
  const cap = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value
  return typeof cap === 'number' && Number.isSafeInteger(cap) && cap >= 0 ? { cap } : {}
}
