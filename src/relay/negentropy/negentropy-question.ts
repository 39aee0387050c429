/*
 * Asks a responder about ranges, and matches its answer to the questions.
 *
 * A responder that reaches its frame limit stops and covers the rest with one fingerprint up to END. In the reference
 * implementation and its descendants, that fingerprint leaves out the range at which it stopped, so a comparison may
 * find equality where there is none. We never use it: what it covers counts as not answered ('cut').
 */
import { compareBounds, END, ProtocolError, START, type Bound, type Range } from './negentropy-message.ts'
import type { Responder, ResponderFailure } from './responder.ts'

/** A range; the upper bound is exclusive. */
export type Span = { readonly lower: Bound; readonly upper: Bound }

/** Asks whether the range has this fingerprint, or asks for a list of its ids. */
type Query = { readonly type: 'fingerprint'; readonly fingerprint: string } | { readonly type: 'list' }

export type Question = Span & { readonly query: Query }

/**
 * A piece of the answer to one question: equal or omitted ('skip'), finer fingerprints, ids, or not answered ('cut').
 */
export type Part = Span &
  (
    | { readonly type: 'skip' | 'cut' }
    | { readonly type: 'fingerprint'; readonly fingerprint: string }
    | { readonly type: 'ids'; readonly ids: readonly string[] }
  )

/** For each question, the parts of its answer in order, without gaps. */
export type Answered = { readonly type: 'answered'; readonly parts: readonly (readonly Part[])[] }

/** A fingerprint that no set has. It makes the responder describe the range, in any form. */
export const NO_FINGERPRINT = 'ff'.repeat(16)

/**
 * Asks all questions in one message. They must be in order and must not overlap. A broken answer becomes a failure
 * `wrong`.
 */
export async function ask(responder: Responder, questions: readonly Question[]): Promise<Answered | ResponderFailure> {
  return containProtocolError(async () => {
    const answer = await responder.ask(toRanges(questions))
    return answer.type === 'failed' ? answer : { type: 'answered', parts: matchAnswer(questions, answer.ranges) }
  })
}

/** Returns the result of `work`; turns a ProtocolError into a failure `wrong`. */
export async function containProtocolError<T>(work: () => Promise<T>): Promise<T | ResponderFailure> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    return { type: 'failed', kind: 'wrong', reason: error.message }
  }
}

/** Encodes a question as a range. An empty list asks for the ids of the other side. */
export function toRange({ upper, query }: Question): Range {
  return query.type === 'list' ? { type: 'ids', upper, ids: [] } : { ...query, upper }
}

/** Whether two spans are the same. */
export function isSameSpan(a: Span, b: Span): boolean {
  return compareBounds(a.lower, b.lower) === 0 && compareBounds(a.upper, b.upper) === 0
}

function toRanges(questions: readonly Question[]): Range[] {
  const ranges: Range[] = []
  let reached = START
  for (const question of questions) {
    if (compareBounds(reached, question.lower) < 0) ranges.push({ type: 'skip', upper: question.lower })
    ranges.push(toRange(question))
    reached = question.upper
  }
  return ranges
}

function matchAnswer(questions: readonly Question[], ranges: readonly Range[]): Part[][] {
  const parts = questions.map((): Part[] => [])
  let first = 0
  for (const piece of toPieces(ranges, questions.at(-1))) {
    while (isBelow(questions[first], piece)) first += 1
    for (let index = first; isAbout(piece, questions[index]); index += 1) {
      const question = questions[index]
      if (question !== undefined) parts[index]?.push(cutOut(piece, question))
    }
    if (isContent(piece) && !isAbout(piece, questions[first])) throw unasked()
  }
  return parts
}

/** Splits the whole space into pieces; empty ones are dropped. */
function toPieces(ranges: readonly Range[], last: Question | undefined): Part[] {
  const pieces: Part[] = []
  let lower = START
  for (const range of ranges) {
    if (compareBounds(lower, range.upper) < 0) pieces.push({ ...range, lower })
    lower = range.upper
  }
  if (compareBounds(lower, END) < 0) pieces.push({ type: 'skip', lower, upper: END })
  const tail = pieces.at(-1)
  if (tail?.type === 'fingerprint' && isOpen(tail) && !isLastBucket(tail, last)) {
    pieces.splice(-1, 1, { type: 'cut', lower: tail.lower, upper: END })
  }
  return pieces
}

/** Whether a fingerprint up to END is the last bucket of the last question. */
function isLastBucket(tail: Span, last: Question | undefined): boolean {
  if (last?.query.type !== 'fingerprint' || !isOpen(last)) return false
  return compareBounds(last.lower, tail.lower) < 0
}

function isOpen({ upper }: Span): boolean {
  return compareBounds(upper, END) === 0
}

function isBelow(question: Question | undefined, piece: Span): boolean {
  return question !== undefined && compareBounds(question.upper, piece.lower) <= 0
}

function isAbout(piece: Span, question: Question | undefined): boolean {
  return question !== undefined && compareBounds(question.lower, piece.upper) < 0
}

function isContent({ type }: Part): boolean {
  return type === 'ids' || type === 'fingerprint'
}

/**
 * The part of a piece within a question. A piece with content must lie entirely inside, because it cannot be divided.
 */
function cutOut(piece: Part, question: Span): Part {
  const lower = compareBounds(piece.lower, question.lower) < 0 ? question.lower : piece.lower
  const upper = compareBounds(piece.upper, question.upper) > 0 ? question.upper : piece.upper
  const part = { ...piece, lower, upper }
  if (isContent(piece) && !isSameSpan(piece, part)) throw unasked()
  return part
}

function unasked(): ProtocolError {
  return new ProtocolError('it answers what was not asked')
}
