import { readDeletion } from '../nostr/deletion.ts'
import type { NostrEvent } from '../nostr/event.ts'
import { KIND } from '../nostr/kinds.ts'
import { findAuthors } from '../relay/holdings.ts'
import { askedTarget } from '../run/ask-sources.ts'
import type { Run } from '../run/run.ts'
import { outOfScope } from '../scope/scope.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import type { SpooledEvent } from '../store/spooled-event.ts'
import { withdrawnBecause } from '../withdraw/withdrawals.ts'

/** Returns why an event is not sent, by what this run knows. Parked events were in scope when they were parked. */
export function judge(spooled: SpooledEvent, authors: ReadonlyMap<string, string>, run: ScopedRun): string | undefined {
  const { event } = spooled
  const withdrawn = withdrawnBecause(event, run)
  if (withdrawn !== undefined) return withdrawn
  if (spooled.state === 'parked') return undefined
  const outside = outOfScope(event, run.choice.scope, run.catalog.members())
  if (outside !== undefined) return outside
  if (event.kind === KIND.deletion && deletesOnlyForOthers(event, authors)) return 'deletion of others'
  return undefined
}

/** Returns the authors of the events that deletions name, by id: from this run, the spool or the target. */
export async function findDeletedAuthors(
  events: readonly NostrEvent[],
  run: Run,
): Promise<ReadonlyMap<string, string>> {
  const { state } = run.world
  const deletions = events.filter(({ kind }) => kind === KIND.deletion)
  const ids = [...new Set(deletions.flatMap((event) => readDeletion(event).ids))]
  const known = ids.flatMap((id): [string, string][] => {
    const author = state.run.authorOf(id) ?? state.spool.find(id)?.event.pubkey
    return author === undefined ? [] : [[id, author]]
  })
  const authors = new Map(known)
  const served = await findAuthors(
    askedTarget(run),
    ids.filter((id) => !authors.has(id)),
  )
  return new Map([...authors, ...served])
}

/** Whether all known targets of a deletion have other authors: such a deletion does nothing. */
export function deletesOnlyForOthers(event: NostrEvent, authorOf: ReadonlyMap<string, string>): boolean {
  const { ids, addresses, foreignAddresses } = readDeletion(event)
  const authors = ids.flatMap((id) => authorOf.get(id) ?? [])
  const isForeign = authors.length + foreignAddresses.length > 0 && authors.every((author) => author !== event.pubkey)
  return isForeign && addresses.length === 0
}
