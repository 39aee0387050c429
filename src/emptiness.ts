import { withinBudget } from './fetch.ts'
import type { Ledger } from './ledger.ts'
import type { OpenSource } from './reading.ts'

/**
 * Names the sources that hold nothing at all: a wrong address looks like this, and so does a relay without its database. A
 * file without an event was hardly meant, and is not read to its end.
 */
export async function nameEmptySources(sources: readonly OpenSource[], ledger: Ledger): Promise<void> {
  for (const source of sources) {
    const { peer, log } = source
    if (log.isDiscovered || !log.isComplete() || !(await isEmpty(source))) continue
    if (peer.endpoint.kind === 'file') log.fail('it holds no event')
    else ledger.problem({ what: 'empty', where: peer.endpoint.url, reason: 'it serves no event at all', example: null })
  }
}

/** Whether a source shows nothing, asked for anything: some answer no filter without a condition but this. */
async function isEmpty({ peer, budget }: OpenSource): Promise<boolean> {
  if (peer.breadth.hasShown) return false
  const { rows, end } = await withinBudget(peer.endpoint, budget).request({ since: 0, limit: 1 })
  return end.type === 'eose' && rows.length === 0
}
