import type { PlannedRequest } from '../checkpoint/plan.ts'
import { parseAddress } from '../nostr/address.ts'
import { tagConditions, type Filter } from '../nostr/filter.ts'
import type { Drain } from '../relay/paging/drain.ts'

/**
 * Returns the anchors of a request that were not drained. Where only parts of its filter stayed open, these are the
 * anchors with values in such a part: one repository never costs the others their checkpoints.
 */
export function openAnchors({ anchors, filter }: PlannedRequest, { reason, open }: Drain): readonly string[] {
  if (reason === null) return []
  if (open === undefined) return anchors
  return anchors.filter((anchor) => open.some((part) => concerns(part, anchor, filter)))
}

/** Whether a part of a filter still names every value of the anchor that the filter names. */
function concerns(part: Filter, anchor: string, filter: Filter): boolean {
  const { pubkey, d } = parseAddress(anchor) ?? { pubkey: anchor.replace(/^author:/, ''), d: '' }
  const isKept = (kept: readonly string[] | undefined, asked: readonly string[] | undefined, value: string): boolean =>
    asked?.includes(value) !== true || kept?.includes(value) !== false
  return (
    isKept(part.authors, filter.authors, pubkey) &&
    tagConditions(filter).every(([name, asked]) => isKept(part[`#${name}`], asked, name === 'd' ? d : anchor))
  )
}
