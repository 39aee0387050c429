import type { NostrEvent } from '../../src/nostr/event.ts'
import { generateHistory } from './generate.ts'
import type { ScriptedRelay } from './scripted-relay.ts'
import { createWorkbench, type Workbench } from './workbench.ts'

/** 40 anchors of repositories and 260 of threads: enough to compare relays as wholes. */
export const HISTORY: readonly NostrEvent[] = [
  ...generateHistory({ repositories: 20, rootsPerRepository: 13, commentsPerRoot: 1 }),
]

export type AlikeRelays = { readonly bench: Workbench; readonly source: ScriptedRelay; readonly target: ScriptedRelay }

/** Two relays with NIP-77 and the same history, after a first run; what they received by then is forgotten. */
export async function startAlikeRelays(): Promise<AlikeRelays> {
  const bench = createWorkbench()
  const source = await bench.scripted({ events: HISTORY, negentropy: true, verify: false })
  const target = await bench.scripted({ events: HISTORY, negentropy: true, verify: false })
  await bench.catchup(source, target, '--scope', 'all')
  source.forgetReceived()
  target.forgetReceived()
  return { bench, source, target }
}

/** The filters by which a relay was asked to compare. */
export function comparedAt({ received }: ScriptedRelay): unknown[] {
  return received.negs.flatMap(({ label, filter }) => (label === 'NEG-OPEN' ? [filter] : []))
}
