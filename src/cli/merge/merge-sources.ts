import type { ReadMode, ReconcileReport, SourceLayerReport, SourceReport } from '../../report/report.ts'
import { groupBy, leastOf, sumOf, sumRecords } from './sums.ts'

/** Merges how sources were read: to their end only where every shard that asked them did. */
export function mergeSources(sources: readonly SourceReport[]): SourceReport[] {
  return groupBy(sources, ({ url }) => url).map((same) => ({
    url: same[0]?.url ?? '',
    discovered: same.every(({ discovered }) => discovered),
    complete: same.every(({ complete }) => complete),
    reason: firstReason(same),
    lastDrained: leastOf(same.map(({ lastDrained }) => lastDrained)),
    notes: [...new Set(same.flatMap(({ notes }) => notes))],
    layers: groupBy(
      same.flatMap(({ layers }) => layers),
      ({ layer }) => layer,
    ).flatMap(mergeLayer),
  }))
}

function mergeLayer(same: readonly SourceLayerReport[]): SourceLayerReport[] {
  const [first] = same
  if (first === undefined) return []
  const anchors = { full: 0, since: 0, reconcile: 0, ...sumRecords(same.map((each) => each.anchors)) }
  return [
    {
      layer: first.layer,
      mode: modeOf(same),
      since: leastOf(same.map(({ since }) => since)),
      anchors,
      filters: sumOf(same, ({ filters }) => filters),
      pages: sumOf(same, ({ pages }) => pages),
      events: sumOf(same, ({ events }) => events),
      bytes: sumOf(same, ({ bytes }) => bytes),
      reconcile: mergeComparisons(same.flatMap(({ reconcile }) => reconcile ?? [])),
      end: endOf(same),
      reason: firstReason(same),
    },
  ]
}

/** A comparison in one shard says nothing of the pages of another. */
function modeOf(same: readonly SourceLayerReport[]): ReadMode {
  if (same.some(({ mode }) => mode === 'since')) return 'since'
  const asked = same.filter(({ end }) => end !== 'not asked')
  return asked.length > 0 && asked.every(({ mode }) => mode === 'reconcile') ? 'reconcile' : 'full'
}

/** A shard without repositories has nothing to ask for. */
function endOf(same: readonly SourceLayerReport[]): SourceLayerReport['end'] {
  const asked = same.filter(({ end }) => end !== 'not asked')
  if (asked.length === 0) return 'not asked'
  return asked.every(({ end }) => end === 'drained') ? 'drained' : 'incomplete'
}

function mergeComparisons(same: readonly ReconcileReport[]): ReconcileReport | null {
  if (same.length === 0) return null
  return {
    roundTrips: sumOf(same, ({ roundTrips }) => roundTrips),
    listed: sumOf(same, ({ listed }) => listed),
    missing: sumOf(same, ({ missing }) => missing),
    sentToSource: sumOf(same, ({ sentToSource }) => sentToSource),
    receivedFromSource: sumOf(same, ({ receivedFromSource }) => receivedFromSource),
    sentToTarget: sumOf(same, ({ sentToTarget }) => sentToTarget),
    receivedFromTarget: sumOf(same, ({ receivedFromTarget }) => receivedFromTarget),
  }
}

function firstReason(same: readonly { readonly reason: string | null }[]): string | null {
  return same.find(({ reason }) => reason !== null)?.reason ?? null
}
