import type { NostrEvent } from '../../src/nostr/event.ts'

/**
 * What a first run with `--scope all` must bring to an empty target, by the layers of design.md and nothing of `src`: a
 * slow closure over all events at once. `now` in Unix seconds.
 */
export function expectedOfEverything(all: readonly NostrEvent[], now: number): NostrEvent[] {
  const alive = withoutOldVersions(all.filter((event) => !isLeftOut(event, now)))
  const kept = alive.filter((event) => !isDeletedIn(all, event))
  const announcements = kept.filter((event) => event.kind === 30617)
  const addresses = new Set(announcements.map(addressText))
  const chosen = new Set<NostrEvent>(kept.filter(({ kind }) => kind === 30617 || kind === 10317))
  const states = statesInScope(announcements)
  for (const event of kept) {
    const isState = event.kind === 30618
    if (isState && states.has(addressText(event))) chosen.add(event)
    if (!isState && mentions(event, ['a', 'A', 'q'], addresses)) chosen.add(event)
  }
  for (let before = -1; before !== chosen.size;) {
    before = chosen.size
    const roots = new Set([...chosen].filter(({ kind }) => [1617, 1618, 1621].includes(kind)).map(({ id }) => id))
    for (const event of kept) if (event.kind !== 30618 && mentions(event, ['e', 'E', 'q'], roots)) chosen.add(event)
  }
  return [...chosen].filter((event) => !isDeletionOfOthers(event, all))
}

function isLeftOut({ kind, tags }: NostrEvent, now: number): boolean {
  const isEphemeral = kind >= 20_000 && kind < 30_000
  const hasExpired = tags.some(([name, value]) => name === 'expiration' && Number(value) <= now)
  const isAudit = tags.some(([name, value]) => name === 't' && value === 'grasp-audit-test-event')
  return isEphemeral || hasExpired || isAudit
}

function mentions({ tags }: NostrEvent, names: readonly string[], values: ReadonlySet<string>): boolean {
  return tags.some(([name = '', value = '']) => names.includes(name) && values.has(value))
}

/** `kind:pubkey:d` of what is replaced by newer versions, else the id. */
function addressText({ id, kind, pubkey, tags }: NostrEvent): string {
  if (kind === 0 || kind === 3 || (kind >= 10_000 && kind < 20_000)) return `${kind}:${pubkey}:`
  if (kind < 30_000 || kind >= 40_000) return id
  return `${kind}:${pubkey}:${tags.find(([name]) => name === 'd')?.[1] ?? ''}`
}

function withoutOldVersions(events: readonly NostrEvent[]): NostrEvent[] {
  const newest = new Map<string, NostrEvent>()
  for (const event of [...events].sort((a, b) => a.created_at - b.created_at || (a.id < b.id ? 1 : -1))) {
    newest.set(addressText(event), event)
  }
  return [...newest.values()]
}

/** States of all who announce: without role tags an announcement is enough for the states of its author. */
function statesInScope(announcements: readonly NostrEvent[]): Set<string> {
  return new Set(announcements.map((event) => addressText(event).replace('30617:', '30618:')))
}

function isDeletedIn(all: readonly NostrEvent[], event: NostrEvent): boolean {
  if (event.kind === 5) return false
  const address = addressText(event)
  return all.some(
    ({ kind, pubkey, created_at: createdAt, tags }) =>
      kind === 5 &&
      pubkey === event.pubkey &&
      tags.some(
        ([name, value]) =>
          (name === 'e' && value === event.id) ||
          (name === 'a' && value === address && address !== event.id && event.created_at <= createdAt),
      ),
  )
}

function isDeletionOfOthers(event: NostrEvent, all: readonly NostrEvent[]): boolean {
  if (event.kind !== 5) return false
  const authors = event.tags.flatMap(([name, value = '']) => {
    if (name === 'a') return [value.split(':')[1] ?? '']
    return name === 'e' ? all.filter(({ id }) => id === value).map(({ pubkey }) => pubkey) : []
  })
  return authors.length > 0 && authors.every((author) => author !== event.pubkey)
}
