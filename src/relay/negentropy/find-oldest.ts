import { END, START } from './negentropy-message.ts'
import { ask, NO_FINGERPRINT, type Part } from './negentropy-question.ts'
import type { Responder, ResponderFailure } from './responder.ts'

// Each round divides the rest by 16.
const MAX_ROUNDS = 32

/**
 * The ids of the lowest non-empty range, in the order in which the set listed them (oldest first at all known relays);
 * empty for an empty set.
 */
export type Oldest = { readonly type: 'found'; readonly ids: readonly string[]; readonly roundTrips: number }

/** Narrows a set down to its oldest ids. `opening` are parts that cover the set, as returned by `reconcile`. */
export async function findOldest(
  responder: Responder,
  opening: readonly Part[] = [{ type: 'cut', lower: START, upper: END }],
): Promise<Oldest | ResponderFailure> {
  let parts = opening
  for (let roundTrips = 0; roundTrips < MAX_ROUNDS; roundTrips += 1) {
    const lowest = parts.findIndex((part) => part.type !== 'ids' || part.ids.length > 0)
    const part = parts[lowest]
    if (part === undefined) return { type: 'found', ids: [], roundTrips }
    if (part.type === 'ids') return { type: 'found', ids: part.ids, roundTrips }
    const { lower, upper } = part
    const question = { lower, upper, query: { type: 'fingerprint', fingerprint: NO_FINGERPRINT } } as const
    const answered = await ask(responder, [question])
    if (answered.type === 'failed') return answered
    if (answered.parts[0]?.every(({ type }) => type === 'skip') === true) return nothingAnswered()
    parts = [...(answered.parts[0] ?? []), ...parts.slice(lowest + 1)]
  }
  return { type: 'failed', kind: 'endless', reason: `no oldest event after ${MAX_ROUNDS} round trips` }
}

function nothingAnswered(): ResponderFailure {
  return { type: 'failed', kind: 'wrong', reason: 'it answers nothing' }
}
