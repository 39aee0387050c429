import type { Fate } from '../run/fate.ts'
import { buildHistogram, hourOf } from './histogram.ts'
import type { Knowledge } from '../scope/knowledge.ts'
import type { NostrEvent } from '../nostr/event.ts'
import type { CheckReport, Difference } from '../report/report.ts'
import type { LayerName } from '../layer-name.ts'
import type { SpooledEvent } from '../store/spooled-event.ts'
import type { TargetState } from '../store/target-state.ts'

/** What a comparison needs. `onMissing` takes each missing event, one at a time. */
export type CompareContext = {
  readonly state: TargetState
  readonly knowledge: Knowledge
  readonly held: HeldTally
  readonly fate: Fate
  readonly listIds: boolean
  /** Whether `catchup` would read any source since its checkpoint only. */
  readonly isQuick: boolean
  readonly onMissing: ((event: NostrEvent) => Promise<void>) | undefined
}

const PIECE = 250

/** How many events of each layer, kind and repository the target was seen to hold. */
export class HeldTally {
  readonly #counts = new Map<string, number>()

  /** Counts one event. */
  add(layer: LayerName, kind: number, repository: string | undefined): void {
    const key = keyOf(layer, kind, repository)
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
  }

  /** The counts by `keyOf`. */
  counts(): ReadonlyMap<string, number> {
    return this.#counts
  }
}

/** What `check` found where target or sources could not be read: that nothing is missing would be a guess. */
export const NOTHING_COMPARED: CheckReport = {
  missing: null,
  waiting: 0,
  needsFull: false,
  differences: [],
  histogram: [],
  ids: null,
  both: null,
}

/** What the target lacks, by layer, kind and repository, and when it was signed. Pending events are not missing. */
export async function compare(context: CompareContext): Promise<CheckReport> {
  const missing = new Map<string, number>()
  const times = new Map<number, number>()
  const ids: string[] = []
  let [waiting, isAnyLate] = [0, false]
  parkAgain(context)
  for (const { layer, event, state, outcome, isLate } of missingEvents(context.state)) {
    if (state === 'parked' && outcome === 'waiting') waiting += 1
    isAnyLate ||= isLate && state !== 'parked'
    const key = keyOf(layer, event.kind, context.knowledge.repositoryOf(event))
    missing.set(key, (missing.get(key) ?? 0) + 1)
    const hour = hourOf(event.created_at)
    times.set(hour, (times.get(hour) ?? 0) + 1)
    if (context.listIds) ids.push(event.id)
    await context.onMissing?.(event)
  }
  return {
    missing: [...missing.values()].reduce((total, count) => total + count, 0),
    waiting,
    needsFull: isAnyLate && context.isQuick,
    differences: tabulate(missing, context.held.counts()),
    histogram: buildHistogram(times),
    ids: context.listIds ? ids : null,
    both: null,
  }
}

/** Selection looks at what waits on disk as well; nothing is sent here, so it goes on waiting. */
function parkAgain({ state, fate }: CompareContext): void {
  for (const piece of state.spool.inState('ready', PIECE)) {
    for (const spooled of piece) {
      const { parkedAt, isOrphan, obstacle, retryAt } = spooled
      if (parkedAt !== undefined) fate.park(spooled, { isOrphan, obstacle, retryAt })
    }
  }
}

/** Selected events that the target does not serve, and parked ones unless it said that it holds them back. */
function* missingEvents(state: TargetState): Generator<SpooledEvent> {
  for (const piece of state.spool.inState('ready', PIECE)) yield* piece
  for (const piece of state.spool.inState('parked', PIECE)) yield* piece.filter(({ outcome }) => outcome !== 'pending')
}

function tabulate(missing: ReadonlyMap<string, number>, held: ReadonlyMap<string, number>): Difference[] {
  const keys = [...new Set([...missing.keys(), ...held.keys()])].sort()
  return keys.map((key) => {
    const [layer, kind, repository] = JSON.parse(key) as [LayerName, number, string | null]
    const [lacks, has] = [missing.get(key) ?? 0, held.get(key) ?? 0]
    return { layer, kind, repository, sourceHas: lacks + has, targetHas: has, missing: lacks }
  })
}

function keyOf(layer: LayerName, kind: number, repository: string | undefined): string {
  return JSON.stringify([layer, kind, repository ?? null])
}
