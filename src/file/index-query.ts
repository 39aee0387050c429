import { hash } from 'node:crypto'
import { isHex32 } from '../nostr/event.ts'
import { tagConditions, type Filter } from '../nostr/filter.ts'

/** The tables of an index. Tag values are stored as `tagKey`, ids and public keys as bytes. */
export const INDEX_SCHEMA = `
  CREATE TABLE events (rowid INTEGER PRIMARY KEY, id BLOB, digest BLOB, kind INTEGER, pubkey BLOB, created_at INTEGER, json TEXT);
  CREATE UNIQUE INDEX events_by_id ON events (id, digest);
  CREATE INDEX events_by_author ON events (pubkey, kind, created_at);
  CREATE INDEX events_by_kind ON events (kind, created_at DESC, id);
  CREATE INDEX events_by_time ON events (created_at DESC, id);
  CREATE TABLE tags (key BLOB, event INTEGER, PRIMARY KEY (key, event)) WITHOUT ROWID;
`

/** A SELECT and the values of its placeholders. */
type IndexQuery = { readonly sql: string; readonly parameters: readonly (string | number)[] }

type Condition = { readonly sql: string; readonly parameter: string | number }

/**
 * Builds a query for the row ids of matching events, newest first, ties by lowest id. Conditions on tag names longer
 * than one letter match nothing, as at relays (NIP-01).
 *
 * SQLite has no statistics for a fresh index and then chooses badly, so the query names the index that narrows most.
 * Value lists are passed as one JSON text, because the number of placeholders is limited.
 */
export function buildIndexQuery(filter: Filter): IndexQuery {
  const conditions = buildConditions(filter)
  return {
    sql: `SELECT rowid AS event FROM events ${chooseIndex(filter)}
      WHERE ${conditions.map((condition) => condition.sql).join(' AND ')}
      ORDER BY created_at DESC, id, rowid LIMIT ?`,
    parameters: [...conditions.map((condition) => condition.parameter), filter.limit ?? -1],
  }
}

/** The key of a tag in the index: short for any value, and exact for any text (lone surrogates, NUL). */
export function tagKey(name: string, value: string): Buffer {
  return hash('sha256', JSON.stringify([name, value]), 'buffer').subarray(0, 16)
}

function chooseIndex(filter: Filter): string {
  if (filter.ids !== undefined) return 'INDEXED BY events_by_id'
  // The tag table yields row ids, and a look-up by row id needs no index.
  if (tagConditions(filter).length > 0) return 'NOT INDEXED'
  if (filter.authors !== undefined) return 'INDEXED BY events_by_author'
  if (filter.kinds !== undefined) return 'INDEXED BY events_by_kind'
  return 'INDEXED BY events_by_time'
}

function buildConditions(filter: Filter): Condition[] {
  const { ids, authors, kinds, since = 0, until = Number.MAX_SAFE_INTEGER } = filter
  return [
    { sql: 'created_at >= ?', parameter: since },
    { sql: 'created_at <= ?', parameter: until },
    ...(ids === undefined ? [] : [isOneOfHex('id', ids)]),
    ...(authors === undefined ? [] : [isOneOfHex('pubkey', authors)]),
    ...(kinds === undefined ? [] : [isOneOfKinds(kinds)]),
    ...tagConditions(filter).map(([name, values]) => hasTag(name, values)),
  ]
}

function isOneOfHex(column: string, values: readonly string[]): Condition {
  const parameter = JSON.stringify(values.filter(isHex32))
  return { sql: `${column} IN (SELECT unhex(value) FROM json_each(?))`, parameter }
}

/** Uses equality for a single kind: then the index is in the order of the answer, and a limit stops early. */
function isOneOfKinds(kinds: readonly number[]): Condition {
  const [only] = kinds
  if (kinds.length === 1 && only !== undefined) return { sql: 'kind = ?', parameter: only }
  return { sql: 'kind IN (SELECT value FROM json_each(?))', parameter: JSON.stringify(kinds) }
}

function hasTag(name: string, values: readonly string[]): Condition {
  const keys = values.map((value) => tagKey(name, value).toString('hex'))
  const sql = 'rowid IN (SELECT event FROM tags WHERE key IN (SELECT unhex(value) FROM json_each(?)))'
  return { sql, parameter: JSON.stringify(keys) }
}
