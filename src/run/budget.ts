import type { Aftermath } from '../relay/aftermath.ts'
import { withRequest, type Endpoint, type Page } from '../relay/endpoint.ts'

/**
 * What a source may still send in this run, in bytes. Past it no filter is drained. `scans`: what scans may bring for
 * values that the source does not index, beside it; strangers choose these values.
 */
export type Budget = {
  bytesLeft: number
  readonly maxBytes: number
  readonly isOfScans?: true
  scans?: Map<number, Budget>
}

/**
 * The endpoint, read within the budget: every question to a source counts, not only the pages of a filter (rule 9).
 * `aftermath` is told what follows the ends of all of them.
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
