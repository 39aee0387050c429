/*
 * `check --sample N/T`: comparisons by id believe that a relay serves under an id what was signed under it. Here a part
 * of what the target serves is read back whole, and its ids and signatures are verified. Which part is a matter of the
 * repositories' addresses, so that T runs of different N cover everything.
 */
import type { Layer } from '../checkpoint/layers.ts'
import { parseAddress } from '../nostr/address.ts'
import type { NostrEvent } from '../nostr/event.ts'
import { isRootKind } from '../nostr/kinds.ts'
import type { Verdict } from '../nostr/signature.ts'
import { readThrough } from '../relay/read-through.ts'
import type { SampleReport } from '../report/report.ts'
import type { Part } from '../report/run-options.ts'
import { askedTarget } from '../run/ask-sources.ts'
import { isInPart } from '../scope/choose-part.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'

const ANCHORS_AT_ONCE = 50

/** Whether a repository belongs to the part: by its identifier, so that the announcements of all maintainers do. */
export function isSampled(address: string, part: Part): boolean {
  return isInPart(parseAddress(address)?.d ?? address, part)
}

/** Reads the part back and verifies it; damaged events are problems of the target. Throws LostRelayError. */
export async function sampleTarget(part: Part, run: ScopedRun): Promise<SampleReport> {
  const { announcements, states } = run.catalog.members()
  const addresses = [...announcements].filter((address) => isSampled(address, part))
  const ofStates = [...states].filter((address) => isSampled(address, part))
  const counts = { events: 0, damaged: 0 }
  const roots = new Set<string>()
  const verify = (events: readonly NostrEvent[]): Promise<void> => verifyPage(events, { counts, roots }, run)
  for (const layer of run.layers) {
    const anchors = layer.name === 'announcements' ? addresses : [...addresses, ...ofStates]
    if (layer.name === 'announcements' || layer.name === 'repositories') await readBack(layer, anchors, verify, run)
    if (layer.name === 'threads') await readBack(layer, [...roots], verify, run)
  }
  return { ...part, repositories: addresses.length, ...counts }
}

async function readBack(
  { name, variants }: Layer,
  anchors: readonly string[],
  verify: (events: readonly NostrEvent[]) => Promise<void>,
  run: ScopedRun,
): Promise<void> {
  const target = askedTarget(run)
  for (const { serves, filter, accepts } of variants) {
    const served = accepts === undefined ? anchors.filter((anchor) => serves(anchor)) : []
    for (let first = 0; first < served.length; first += ANCHORS_AT_ONCE) {
      const gap = await readThrough(target, filter(served.slice(first, first + ANCHORS_AT_ONCE)), verify)
      if (gap !== null) run.targetGaps.note(`its ${name}, read back: ${gap}`)
    }
  }
}

type Found = { readonly counts: { events: number; damaged: number }; readonly roots: Set<string> }

/** An event that two filters match is counted twice; a damaged one is worth telling each time. */
async function verifyPage(events: readonly NostrEvent[], { counts, roots }: Found, run: ScopedRun): Promise<void> {
  const verdicts = await run.world.verifier.verify(events)
  counts.events += events.length
  for (const [index, event] of events.entries()) {
    const verdict: Verdict = verdicts[index] ?? 'wrong signature'
    if (verdict !== 'valid') {
      counts.damaged += 1
      run.ledger.problem({ what: 'damaged', where: run.target.endpoint.url, reason: verdict, example: event.id })
    } else if (isRootKind(event.kind)) roots.add(event.id)
  }
}
