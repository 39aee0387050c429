import type { Endpoint } from '../relay/endpoint.ts'
import { MAYBE_NARROW } from '../relay/paging/breadth.ts'
import { mayBeNarrow } from '../relay/software.ts'
import { withinBudget } from '../run/budget.ts'
import type { OpenSource } from '../run/source.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'

const NOTHING_COMPARED = 'it serves no event at all, nor does the target: nothing was compared'

/**
 * Reports the sources that hold nothing at all: the address may be wrong, the relay may have lost its database, or it
 * may answer narrow questions only. A file without an event is not read to its end, since nobody means to read one. Nor
 * is a relay whose software is known for such answers, nor any relay when nothing was seen anywhere: then nothing shows
 * that the run has looked at anything.
 */
export async function nameEmptySources(run: ScopedRun): Promise<void> {
  const { sources, ledger } = run
  const named = sources.filter(({ log }) => !log.isDiscovered)
  const answers = await Promise.all(named.map(async (source) => source.log.isComplete() && (await isEmpty(source))))
  const empty = named.filter((_, place) => answers[place])
  const isNothingSeen = empty.length === named.length && empty.length > 0 && (await isTargetEmpty(run))
  for (const source of empty) {
    const { url } = source.peer.endpoint
    const doubt = doubtAbout(source, isNothingSeen, run)
    if (doubt === undefined) {
      ledger.problem({ what: 'empty', where: url, reason: 'it serves no event at all', example: null })
      continue
    }
    source.log.fail(doubt)
    run.world.state.checkpoints.noteAllOpen(url)
  }
}

/** Returns why a source that shows nothing was not read to its end; `undefined` when it may really be empty. */
function doubtAbout(
  { peer: { endpoint, profile } }: OpenSource,
  isNothingSeen: boolean,
  { choice }: ScopedRun,
): string | undefined {
  if (endpoint.kind === 'file') return 'it holds no event'
  // Even a narrow relay answers questions by author and identifier.
  if (choice.scope.type === 'named') return undefined
  if (mayBeNarrow(profile)) return MAYBE_NARROW
  return isNothingSeen ? NOTHING_COMPARED : undefined
}

/** Whether a source shows nothing at all. */
async function isEmpty({ peer, budget }: OpenSource): Promise<boolean> {
  return !peer.breadth.hasShown && (await showsNothing(withinBudget(peer.endpoint, budget)))
}

async function isTargetEmpty({ target, catalog }: ScopedRun): Promise<boolean> {
  const isKnown = [...catalog.announcements()].length > 0 || target.breadth.hasShown
  return !isKnown && (await showsNothing(target.endpoint))
}

/**
 * Whether a relay shows no event when it is asked for any. The filter has a `since`: some relays answer none without a
 * condition.
 */
export async function showsNothing(endpoint: Endpoint): Promise<boolean> {
  const { rows, end } = await endpoint.request({ since: 0, limit: 1 })
  return end.type === 'eose' && rows.length === 0
}
