import { learnNew, spool, type IntakeContext } from './take-in.ts'
import type { NostrEvent } from '../nostr/event.ts'
import type { LayerName } from '../layer-name.ts'
import type { SpooledEvent } from '../store/spooled-event.ts'

/**
 * Takes in a verified event that was asked for beside the layers. Returns it as it stands in the spool when it is a
 * candidate; what was dropped for a newer version before is not counted as superseded any more.
 */
export function takeInAside(
  source: string,
  layer: LayerName,
  event: NostrEvent,
  context: IntakeContext,
): SpooledEvent | undefined {
  const { state, ledger, learn } = context
  if (state.spool.find(event.id) === undefined) {
    const isNew = learnNew(layer, [event], context).length > 0
    ledger.count(layer, 'fetched', isNew ? 1 : 0)
    if (!isNew) ledger.drop(layer, 'superseded', -1)
    if (!isNew) learn(layer, event)
    spool(source, { layer, lateBefore: undefined }, event, context)
  }
  const spooled = state.spool.find(event.id)
  return spooled?.state === 'candidate' ? spooled : undefined
}
