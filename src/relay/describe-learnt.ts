import type { LearntLimits } from './endpoint.ts'

/** Describes the limits that a relay has shown, as sentences that lack its URL at the start. */
export function describeLearnt({ maxFilterValues, maxFilterBytes, maxOpenRequests }: LearntLimits): string[] {
  const sizes = [
    ...(maxFilterValues === undefined ? [] : [`${maxFilterValues} values`]),
    ...(maxFilterBytes === undefined ? [] : [`${maxFilterBytes} bytes`]),
  ]
  const once = maxOpenRequests === 1 ? 'one question' : `${maxOpenRequests ?? 0} questions`
  return [
    ...sizes.map((size) => `refuses large filters: it was asked for at most ${size} at once.`),
    ...(maxOpenRequests === undefined ? [] : [`refuses many questions at once: it was asked ${once} at a time.`]),
  ]
}
