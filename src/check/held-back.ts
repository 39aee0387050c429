import { keptUntil } from '../checkpoint/next-try.ts'
import { tagValues, type NostrEvent } from '../nostr/event.ts'
import { KIND } from '../nostr/kinds.ts'
import { isInPurgatory } from '../relay/answers.ts'
import type { HeldBackRepository } from '../report/report.ts'
import type { Catalog } from '../scope/catalog.ts'
import type { SpooledEvent } from '../store/spooled-event.ts'
import type { TargetState } from '../store/target-state.ts'

type Group = { readonly ids: string[]; readonly commits: Set<string>; count: number; lastOkAt: number | undefined }

const COMMITS_SHOWN = 10
const COMMIT = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/

/** Lists events that the target holds back until git data arrives, by repository, those that delay most first. */
export function listHeldBack(state: TargetState, catalog: Catalog): HeldBackRepository[] {
  const groups = new Map<string | null, Group>()
  for (const spooled of state.waits.pending()) {
    if (!isInPurgatory(spooled.reason ?? '')) continue
    const repository = catalog.repositoryOf(spooled.event) ?? null
    const group = groups.get(repository) ?? { ids: [], commits: new Set(), count: 0, lastOkAt: undefined }
    groups.set(repository, add(group, spooled))
  }
  const waiting = state.waits.countByObstacle()
  return [...groups]
    .map(([repository, { ids, commits, count, lastOkAt }]) => ({
      repository,
      name: repository === null ? null : state.waits.nameAt(repository),
      events: count,
      waiting: [...ids, repository ?? ''].reduce((sum, anchor) => sum + (waiting.get(anchor) ?? 0), 0),
      commits: [...commits].slice(0, COMMITS_SHOWN),
      commitCount: commits.size,
      keptUntil: lastOkAt === undefined ? null : keptUntil(lastOkAt),
    }))
    .sort((a, b) => b.events + b.waiting - (a.events + a.waiting))
}

/** Adds an event to its group. The event that the target took first is dropped first, so its time counts. */
function add(group: Group, { event, lastOkAt }: SpooledEvent): Group {
  for (const commit of commitsOf(event)) group.commits.add(commit)
  // Events that wait for an announcement name its address, not its id.
  if (event.kind !== KIND.announcement) group.ids.push(event.id)
  group.count += 1
  if (lastOkAt !== undefined) group.lastOkAt = Math.min(group.lastOkAt ?? lastOkAt, lastOkAt)
  return group
}

/** Returns the git objects that must arrive: those of a state's refs (NIP-34), the tip of a pull request. */
function commitsOf(event: NostrEvent): string[] {
  const refs = event.kind === KIND.state ? event.tags.filter(([name = '']) => name.startsWith('refs/')) : []
  const named = refs.flatMap(([, value = '']) => value)
  const tips = event.kind === KIND.announcement || event.kind === KIND.state ? [] : tagValues(event, 'c')
  return [...named, ...tips].filter((text) => COMMIT.test(text))
}
