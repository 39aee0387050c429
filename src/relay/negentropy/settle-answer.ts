import { fingerprintOf } from './fingerprint.ts'
import { compareBounds, ProtocolError } from './negentropy-message.ts'
import { isSameSpan, NO_FINGERPRINT, type Part, type Span } from './negentropy-question.ts'

/** The side that a question goes to. */
export type SideName = 'source' | 'target'

/** An open question to one side about one range. */
export type Pending = Span & {
  readonly side: SideName
  /** How often the range has been split. */
  readonly depth: number
  readonly query:
    | {
        readonly type: 'fingerprint'
        readonly fingerprint: string
        /** The ids that the other side listed for exactly this range, if it did. */
        readonly known?: readonly string[]
      }
    /** `others`: ids that the other side listed here and this side has not listed yet. */
    | { readonly type: 'list'; readonly others: Set<string> }
}

/** Ids found since the last hand-out, and how many ids were listed. */
export type Found = { readonly missing: string[]; readonly extra: string[]; listed: number }

/**
 * Options of a comparison. `wantsExtra`: also collect what only the target has. `isThrifty`: ask the source for no list,
 * which may be long; it gives short ones by itself.
 */
export type Settling = { readonly found: Found; readonly wantsExtra: boolean; readonly isThrifty: boolean }

// Sixteen parts a split: enough for 2^64 times as many events as can exist.
const MAX_DEPTH = 64

/**
 * Processes the answer to one question: files the ids and returns the next questions, in order. Throws ProtocolError.
 */
export function settleAnswer(pending: Pending, parts: readonly Part[], settling: Settling): Pending[] {
  if (pending.query.type === 'list') return settleList(pending, pending.query.others, parts, settling)
  return parts.flatMap((part) => settlePart(pending, part, settling))
}

/** Asks for everything that a side holds in a range. */
export function askUnknown(span: Span, side: SideName, depth: number): Pending {
  if (depth > MAX_DEPTH) throw new ProtocolError('it splits ranges without end')
  const { lower, upper } = span
  return { lower, upper, side, depth, query: { type: 'fingerprint', fingerprint: NO_FINGERPRINT } }
}

function settlePart(pending: Pending, part: Part, settling: Settling): Pending[] {
  const { side, depth } = pending
  switch (part.type) {
    case 'skip':
      return settleSkip(pending, part)
    case 'cut':
      return isSameSpan(pending, part) ? [pending] : [askUnknown(part, side, depth + 1)]
    case 'fingerprint': {
      const { fingerprint } = part
      return [{ ...askUnknown(part, otherSide(side), depth + 1), query: { type: 'fingerprint', fingerprint } }]
    }
    case 'ids':
      return settleIds(pending, part, part.ids, settling)
  }
}

/**
 * A skip of the whole range means equality; a skip of less means it was left out. NO_FINGERPRINT never equals anything.
 */
function settleSkip(pending: Pending, part: Part): Pending[] {
  if (!isSameSpan(pending, part)) return [askUnknown(part, pending.side, pending.depth + 1)]
  if (pending.query.type === 'fingerprint' && pending.query.fingerprint !== NO_FINGERPRINT) return []
  throw new ProtocolError('it answers nothing')
}

/** A side listed its ids for a range, usually because there are few. */
function settleIds(pending: Pending, span: Span, ids: readonly string[], settling: Settling): Pending[] {
  const { side, depth, query } = pending
  const { found, wantsExtra, isThrifty } = settling
  found.listed += ids.length
  if (query.type === 'fingerprint' && query.known !== undefined && isSameSpan(pending, span)) {
    const others = new Set(query.known)
    takeListed(side, ids, others, settling)
    takeRest(side, others, settling)
    return []
  }
  const next = askUnknown(span, otherSide(side), depth + 1)
  if (wantsExtra || (side === 'target' && !isThrifty))
    return [{ ...next, query: { type: 'list', others: new Set(ids) } }]
  if (side === 'source' && ids.length === 0) return []
  // The other side may hold far more here. A fingerprint makes it split the range; a list would not.
  return [{ ...next, query: { type: 'fingerprint', fingerprint: fingerprintOf(ids), known: ids } }]
}

/** A side was asked for a list, which may come in pieces. */
function settleList(pending: Pending, others: Set<string>, parts: readonly Part[], settling: Settling): Pending[] {
  let { lower } = pending
  for (const part of parts) {
    if (part.type !== 'ids') break
    settling.found.listed += part.ids.length
    takeListed(pending.side, part.ids, others, settling)
    lower = part.upper
  }
  if (compareBounds(lower, pending.lower) === 0) return [pending]
  if (compareBounds(lower, pending.upper) < 0) return [{ ...pending, lower }]
  takeRest(pending.side, others, settling)
  return []
}

/** Files ids listed only by `side`, and removes the common ones from `others`. */
function takeListed(side: SideName, ids: readonly string[], others: Set<string>, settling: Settling): void {
  for (const id of ids) {
    if (!others.delete(id)) takeOne(side, id, settling)
  }
}

/** Files ids that the other side listed and `side` did not. */
function takeRest(side: SideName, others: ReadonlySet<string>, settling: Settling): void {
  for (const id of others) takeOne(otherSide(side), id, settling)
}

function takeOne(holder: SideName, id: string, { found, wantsExtra }: Settling): void {
  if (holder === 'source') found.missing.push(id)
  else if (wantsExtra) found.extra.push(id)
}

function otherSide(side: SideName): SideName {
  return side === 'source' ? 'target' : 'source'
}
