import type { Aftermath } from '../relay/aftermath.ts'
import { withRequest, type Endpoint, type Page } from '../relay/endpoint.ts'

/**
 * Bytes that a source may still send in this run; beyond them no filter is drained. `scans`: separate budgets for scans
 * for values that the source does not index, since strangers choose these values.
 */
export type Budget = {
  bytesLeft: number
  readonly maxBytes: number
  readonly isOfScans?: true
  scans?: Map<number, Budget>
}

/**
 * Returns the endpoint with all its requests counted against the budget, not only the pages of a filter (rule 9).
 * `aftermath` is told what follows their ends.
 */
export function withinBudget(endpoint: Endpoint, budget: Budget, aftermath?: Aftermath): Endpoint {
  return withRequest(endpoint, (filter) => requestWithin(budget, () => endpoint.request(filter, aftermath)))
}

/** Why nothing more is read from a source that has sent too much. */
export function overBudget({ maxBytes, isOfScans }: Budget): string {
  if (isOfScans === true) return `it sent more than the ${maxBytes} bytes that are set aside for this`
  return `it sent more than the ${maxBytes} bytes that --max-bytes allows`
}

async function requestWithin(budget: Budget, request: () => Promise<Page>): Promise<Page> {
  if (budget.bytesLeft <= 0) {
    return { rows: [], end: { type: 'aborted', reason: overBudget(budget) }, bytes: 0 }
  }
  const page = await request()
  budget.bytesLeft -= page.bytes
  return page
}
