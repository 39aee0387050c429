import type { Event, Filter } from '@nostr-relay/common'
import { EventRepositorySqlite } from '@nostr-relay/event-repository-sqlite'

import type { Database } from '../database.ts'
import { addressOf, parseAddress } from '../nostr/address.ts'
import { tagValues } from '../nostr/event.ts'
import { KIND } from '../nostr/kinds.ts'
import { Sqlite } from '../sqlite.ts'
import { asLibraryDatabase } from './kysely-database.ts'

/** The storage of a foreign relay. */
export type ForeignStore = {
  readonly repository: EventRepositorySqlite
  readonly database: Database
  /** Whether the author of the event has deleted it (NIP-09). */
  isDeleted(event: Event): boolean
}

/**
 * Opens a SQLite file with the tables of @nostr-relay; creates it when missing. Fixes the places where 0.0.40 departs
 * from the NIPs: deletions are kept and served, and never remove a kind 5 or newer events; `until: 0` and empty lists
 * are taken literally. `pageCap` bounds the rows of every answer, whatever `limit` says; without it the library's
 * default of 100 and maximum of 1000 apply.
 */
export async function openForeignStore(file: string, pageCap?: number): Promise<ForeignStore> {
  const database = new Sqlite(file)
  database.pragma('journal_mode = WAL')
  const limits = pageCap === undefined ? {} : { defaultLimit: pageCap }
  const repository = new EventRepositorySqlite(asLibraryDatabase(database), limits)
  await repository.init()
  const find = repository.find.bind(repository)
  repository.find = (filter) => (matchesNothing(filter) ? Promise.resolve([]) : find(askable(filter, pageCap)))
  const remove = prepareRemoval(database)
  repository.deleteByDeletionRequest = async (deletion) => {
    remove(deletion)
    await repository.upsert(deletion)
  }
  return { repository, database, isDeleted: prepareDeletedLookup(database) }
}

function matchesNothing(filter: Filter): boolean {
  return Object.values(filter).some((values) => Array.isArray(values) && values.length === 0)
}

function askable(filter: Filter, pageCap = Infinity): Filter {
  const capped = filter.limit === undefined ? filter : { ...filter, limit: Math.min(filter.limit, pageCap) }
  // The library takes 0 for "no bound"; times are whole seconds, so half a second means the same.
  return capped.until === 0 ? { ...capped, until: 0.5 } : capped
}

function prepareRemoval(database: Database): (deletion: Event) => void {
  const byId = database.prepare(`DELETE FROM events WHERE id = ? AND author = ? AND kind <> ${KIND.deletion}`)
  const byAddress = database.prepare(
    'DELETE FROM events WHERE author = ? AND kind = ? AND d_tag_value = ? AND created_at <= ?',
  )
  return database.transaction((deletion: Event) => {
    for (const id of tagValues(deletion, 'e')) byId.run(id, deletion.pubkey)
    for (const text of tagValues(deletion, 'a')) {
      const address = parseAddress(text)
      if (address?.pubkey !== deletion.pubkey) continue
      byAddress.run(address.pubkey, address.kind, address.d, deletion.created_at)
    }
  })
}

function prepareDeletedLookup(database: Database): (event: Event) => boolean {
  const lookup = database.prepare(
    `SELECT 1 FROM generic_tags WHERE tag = ? AND author = ? AND kind = ${KIND.deletion} AND created_at >= ?`,
  )
  return (event) => {
    if (event.kind === KIND.deletion) return false
    if (lookup.get(`e:${event.id}`, event.pubkey, 0) !== undefined) return true
    const address = addressOf(event)
    return address !== undefined && lookup.get(`a:${address}`, event.pubkey, event.created_at) !== undefined
  }
}
