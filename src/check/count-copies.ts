/*
 * `check --copies`: counts, over what `read/read-copies.ts` has seen, at how many ends each event in scope is. An end
 * that was not read to its end makes an answer unknown, never smaller (rule 1): events that it may have are undecided.
 */
import { LostRelayError, reasonOf } from '../errors.ts'
import type { NostrEvent } from '../nostr/event.ts'
import { KIND } from '../nostr/kinds.ts'
import type { CopiesReport, ScarceEvent } from '../report/copies-report.ts'
import { failEnd, whyUnread, type CopyEnd } from '../run/copy-ends.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import { deletesOnlyForOthers, findDeletedAuthors } from '../select/judge.ts'
import { askForWithdrawals } from '../withdraw/withdrawals.ts'
import { CopyTally } from './copy-tally.ts'

const PIECE = 500
/** Each round may uncover older versions, whose authors are asked about them in the next. */
const MAX_ROUNDS = 20

/** Returns how many copies there are, and where they are lacking. */
export async function countCopies(wanted: number, ends: readonly CopyEnd[], run: ScopedRun): Promise<CopiesReport> {
  await takeOutWithdrawn(wanted, ends, run)
  const { copies, waits } = run.world.state
  const counted = ends.map((end) => ({ ...end, reason: whyUnread(end, run) }))
  const tally = new CopyTally(wanted, counted)
  for (const group of copies.groups()) tally.add(group)
  const { repositories, ...report } = tally.summarize()
  const { scope } = run.choice
  return {
    ...report,
    service: scope.type === 'listed' ? scope.service.name : null,
    repositories: repositories.map((each) => ({
      ...each,
      name: each.repository === null ? null : waits.nameAt(each.repository),
    })),
    list: listScarce(wanted, ends, run),
  }
}

/**
 * Takes out what authors took back. Only about events with too few copies is anybody asked: a relay that honours a
 * deletion has not kept the event, so what is everywhere is hardly deleted.
 */
async function takeOutWithdrawn(wanted: number, ends: readonly CopyEnd[], run: ScopedRun): Promise<void> {
  const { copies } = run.world.state
  const deletions = run.options.deletions === 'apply'
  copies.removeWithdrawn({ deletions })
  for (let round = 1; round <= MAX_ROUNDS; round += 1) {
    for (const events of copies.unasked(wanted, PIECE)) if (!(await askAbout(events, ends, run))) return
    if (!copies.removeWithdrawn({ deletions })) return
  }
}

/** Returns whether the target answered. */
async function askAbout(events: readonly NostrEvent[], ends: readonly CopyEnd[], run: ScopedRun): Promise<boolean> {
  try {
    await askForWithdrawals(events, run)
    await dropUseless(events, run)
    return true
  } catch (error) {
    const [target] = ends
    if (!(error instanceof LostRelayError) || target === undefined) throw error
    failEnd(target, reasonOf(error), run)
    return false
  }
}

/** Deletions of what others signed do nothing, and are not copied. */
async function dropUseless(events: readonly NostrEvent[], run: ScopedRun): Promise<void> {
  const deletions = events.filter(({ kind }) => kind === KIND.deletion)
  const authors = await findDeletedAuthors(deletions, run)
  for (const event of deletions) if (deletesOnlyForOthers(event, authors)) run.world.state.copies.remove(event.id)
}

function listScarce(wanted: number, ends: readonly CopyEnd[], { world }: ScopedRun): CopiesReport['list'] {
  const list = world.lists?.create<ScarceEvent>()
  if (list === undefined) return null
  for (const { at, ...event } of world.state.copies.scarce(wanted))
    list.add({ ...event, at: at.map((number) => ends[number]?.url ?? '') })
  return list
}
