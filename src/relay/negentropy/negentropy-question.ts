/*
 * Asking a responder about ranges, and telling its answer apart by what was asked.
 *
 * A responder that reaches its frame limit stops, and stands for the rest with one fingerprint up to END. In the
 * reference implementation and all that descend from it, that fingerprint leaves out the range at which it stopped: who
 * compares it may find equal what is not. So it is never used: what it covers counts as not answered ('cut').
 */
import { compareBounds, END, ProtocolError, START, type Bound, type Range } from './negentropy-message.ts'
import type { Responder, ResponderFailure } from './responder.ts'

/** A range, the upper bound excluded. */
export type Span = { readonly lower: Bound; readonly upper: Bound }

/** Whether a range holds what this fingerprint says, or: list the ids of the range. */
type Query = { readonly type: 'fingerprint'; readonly fingerprint: string } | { readonly type: 'list' }

export type Question = Span & { readonly query: Query }

/**
 * A piece of the answer to one question: equal or left out ('skip'), finer fingerprints, ids, or not answered ('cut').
 */
export type Part = Span &
  (
    | { readonly type: 'skip' | 'cut' }
    | { readonly type: 'fingerprint'; readonly fingerprint: string }
    | { readonly type: 'ids'; readonly ids: readonly string[] }
  )

/** For each question, the parts of its answer: without a gap, in order. */
export type Answered = { readonly type: 'answered'; readonly parts: readonly (readonly Part[])[] }

/** A fingerprint that no set has: asks for what the range holds, in whatever form. */
export const NO_FINGERPRINT = 'ff'.repeat(16)

/**
 * Asks all questions in one message; they must be in order and must not overlap. A broken answer is a failure `wrong`.
 */
export async function ask(responder: Responder, questions: readonly Question[]): Promise<Answered | ResponderFailure> {
  return containProtocolError(async () => {
    const answer = await responder.ask(toRanges(questions))
    return answer.type === 'failed' ? answer : { type: 'answered', parts: matchAnswer(questions, answer.ranges) }
  })
}

/** What `work` returns; a ProtocolError in it becomes a failure `wrong`. */
export async function containProtocolError<T>(work: () => Promise<T>): Promise<T | ResponderFailure> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    return { type: 'failed', kind: 'wrong', reason: error.message }
  }
}

/** The range that puts a question. A list of no ids asks for the ids of the other side. */
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

/** The whole space in pieces, empty ones left out. */
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

/** Whether a fingerprint up to END is the last of those into which the last question was split. */
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
 * The part of a piece within a question. What has content must lie inside, as nobody can tell what belongs to which
 * half.
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
