import type { Database, Statement } from '../database.ts'

import { addressOf, parseAddress } from '../nostr/address.ts'
import type { NostrEvent } from '../nostr/event.ts'
import { openForeignStore } from './foreign-store.ts'

type Statements = { readonly drop: Statement; readonly insert: Statement; readonly tag: Statement }

/**
 * Writes events into a foreign relay's file in one transaction, without checking them: thousands a second instead of
 * the hundreds of publishing. Keeps only the newest version of replaceable events. Stores deletions without applying
 * them, and ephemeral events like any other. Returns the number of new events. The relay may be running.
 */
export async function seedRelayFile(file: string, events: Iterable<NostrEvent>): Promise<number> {
  const { repository, database } = await openForeignStore(file)
  try {
    return insertAll(database, events)
  } finally {
    await repository.destroy()
  }
}

function insertAll(database: Database, events: Iterable<NostrEvent>): number {
  const statements = prepareStatements(database)
  return database.transaction(() => {
    let inserted = 0
    for (const event of events) if (insertEvent(statements, event)) inserted += 1
    return inserted
  })()
}

function prepareStatements(database: Database): Statements {
  return {
    drop: database.prepare(`
      DELETE FROM events WHERE author = ? AND kind = ? AND d_tag_value = ?
      AND (created_at < ? OR (created_at = ? AND id > ?))`),
    insert: database.prepare(`
      INSERT INTO events (id, pubkey, author, created_at, kind, tags, content, sig, d_tag_value)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`),
    tag: database.prepare('INSERT INTO generic_tags (tag, event_id, author, kind, created_at) VALUES (?, ?, ?, ?, ?)'),
  }
}

function insertEvent({ drop, insert, tag }: Statements, event: NostrEvent): boolean {
  const { id, pubkey, created_at: createdAt, kind } = event
  const d = replaceableName(event)
  if (d !== null) drop.run(pubkey, kind, d, createdAt, createdAt, id)
  const row = [id, pubkey, pubkey, createdAt, kind, JSON.stringify(event.tags), event.content, event.sig, d]
  if (insert.run(...row).changes === 0) return false
  for (const text of indexedTags(event)) tag.run(text, id, pubkey, kind, createdAt)
  return true
}

function replaceableName(event: NostrEvent): string | null {
  const address = addressOf(event)
  return address === undefined ? null : (parseAddress(address)?.d ?? '')
}

function indexedTags(event: NostrEvent): Set<string> {
  const single = event.tags.filter(([name]) => name !== undefined && /^[a-zA-Z]$/.test(name))
  return new Set(single.map(([name, value]) => `${name}:${value}`))
}
