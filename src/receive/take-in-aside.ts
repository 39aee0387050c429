import type { LayerName } from '../layer-name.ts'
import type { NostrEvent } from '../nostr/event.ts'
import type { SpooledEvent } from '../store/spooled-event.ts'
import { learnNew, spool, type ReceivingRun } from './take-in.ts'

/**
 * Takes in a verified event that was asked for beside the layers. Returns its spool row if it is a candidate. An event
 * that was dropped earlier for a newer version no longer counts as superseded.
 */
export function takeInAside(
  source: string,
  layer: LayerName,
  event: NostrEvent,
  run: ReceivingRun,
): SpooledEvent | undefined {
  const { ledger, catalog } = run
  const { state } = run.world
  if (state.spool.find(event.id) === undefined) {
    const isNew = learnNew(layer, [event], run).length > 0
    ledger.count(layer, 'fetched', isNew ? 1 : 0)
    if (!isNew) ledger.drop(layer, 'superseded', -1)
    if (!isNew) catalog.learn(layer, event, false)
    spool(source, { layer, lateBefore: undefined }, event, run)
  }
  const spooled = state.spool.find(event.id)
  return spooled?.state === 'candidate' ? spooled : undefined
}
