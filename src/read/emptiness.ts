import type { Endpoint } from '../relay/endpoint.ts'
import { MAYBE_NARROW } from '../relay/paging/breadth.ts'
import { mayBeNarrow } from '../relay/software.ts'
import { withinBudget } from '../run/budget.ts'
import type { OpenSource } from '../run/source.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'

const NOTHING_COMPARED = 'it serves no event at all, nor does the target: nothing was compared'

/**
 * Names the sources that hold nothing at all: a wrong address looks like this, and so does a relay without its
 * database, or one that answers narrow questions only. A file without an event was hardly meant, and is not read to its
 * end. A relay is not either where its software is known for such answers, or where nothing was seen anywhere: then
 * nothing tells whether the run has looked at anything.
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

/** Why a source that shows nothing was not read to its end; `undefined` when it may have nothing. */
function doubtAbout(
  { peer: { endpoint, profile } }: OpenSource,
  isNothingSeen: boolean,
  { choice }: ScopedRun,
): string | undefined {
  if (endpoint.kind === 'file') return 'it holds no event'
  // For what is named by author and identifier even a narrow relay answers.
  if (choice.scope.type === 'named') return undefined
  if (mayBeNarrow(profile)) return MAYBE_NARROW
  return isNothingSeen ? NOTHING_COMPARED : undefined
}

/** Whether a source shows nothing, asked for anything: some answer no filter without a condition but this. */
async function isEmpty({ peer, budget }: OpenSource): Promise<boolean> {
  return !peer.breadth.hasShown && (await showsNothing(withinBudget(peer.endpoint, budget)))
}

async function isTargetEmpty({ target, catalog }: ScopedRun): Promise<boolean> {
  const isKnown = [...catalog.announcements()].length > 0 || target.breadth.hasShown
  return !isKnown && (await showsNothing(target.endpoint))
}

async function showsNothing(endpoint: Endpoint): Promise<boolean> {
  const { rows, end } = await endpoint.request({ since: 0, limit: 1 })
  return end.type === 'eose' && rows.length === 0
}
