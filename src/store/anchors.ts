import type { LayerName } from '../layer-name.ts'
import type { NostrEvent } from '../nostr/event.ts'
import { outlineAnnouncement } from '../nostr/outline-announcement.ts'
import type { Db } from './state-file.ts'

const LAYER_NAMES: readonly LayerName[] = ['announcements', 'repositories', 'threads', 'follow-ups']

/** An anchor of this run. `number` grows in the order of discovery; `held`: the target already has it. */
export type FoundAnchor = { readonly anchor: string; readonly number: number; readonly held: boolean }

/**
 * Facts known when an anchor is found. `repositories`: the addresses of the repositories that a root belongs to, most
 * important first.
 */
export type AnchorOrigin = {
  readonly held?: boolean
  readonly repositories?: readonly string[]
  /** Of an anchor of the follow-ups: how many steps lead to what refers to it. @default 1 */
  readonly depth?: number
}

/** Roots whose repositories are kept in memory. */
const MOST_ROOTS = 5_000

/** Enough for any real use; authors choose how many they write. */
const MAX_REPOSITORIES = 20

/** The anchors of one target: those found in this run, and those remembered from earlier runs with the same scope. */
export class AnchorStore {
  readonly #db: Db
  readonly #target: string
  readonly #insertFound
  readonly #insertAnchor
  readonly #findRepositories
  readonly #recalled = new Map<LayerName, number>()
  /** The repositories of the roots asked about since an anchor was added: many events have one root. */
  readonly #repositories = new Map<string, readonly string[]>()

  constructor(db: Db, target: string) {
    this.#db = db
    this.#target = target
    this.#insertFound = db.prepare<[Record<string, unknown>]>(
      `INSERT INTO temp.found (layer, anchor, repository, number, held, depth)
       VALUES (@layer, @anchor, @repository, (SELECT coalesce(max(number), 0) + 1 FROM temp.found WHERE layer = @layer), @held, @depth)
       ON CONFLICT (layer, anchor) DO UPDATE SET held = max(held, excluded.held), depth = min(depth, excluded.depth)`,
    )
    this.#insertAnchor = db.prepare<[string, string, LayerName, string, string | null, number]>(
      `INSERT INTO anchor (target, scope, layer, anchor, repository, depth) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET depth = excluded.depth WHERE excluded.depth < depth`,
    )
    this.#findRepositories = db.prepare<[{ root: string; target: string }], { repository: string }>(
      `SELECT repository FROM temp.found WHERE layer IN ('threads', 'follow-ups') AND anchor = @root AND repository IS NOT NULL
       UNION ALL SELECT repository FROM also_in WHERE target = @target AND anchor = @root`,
    )
  }

  /** Loads every anchor of earlier runs with this scope (or any scope): no anchor is forgotten. */
  recall(scope?: string): void {
    this.#repositories.clear()
    this.#db
      .prepare(
        `INSERT OR IGNORE INTO temp.found (layer, anchor, repository, number, held, depth)
         SELECT layer, anchor, repository, row_number() OVER (PARTITION BY layer ORDER BY anchor), 0, depth FROM anchor
         WHERE target = @target AND scope = coalesce(@scope, scope)`,
      )
      .run({ target: this.#target, scope: scope ?? null })
    for (const layer of LAYER_NAMES) this.#recalled.set(layer, this.last(layer))
  }

  /** The number of the last anchor of a layer from earlier runs; 0 if there was none. */
  recalled(layer: LayerName): number {
    return this.#recalled.get(layer) ?? 0
  }

  /** Adds an anchor and remembers it for later runs with this scope. */
  add(
    scope: string,
    layer: LayerName,
    anchor: string,
    { held = false, repositories = [], depth = 1 }: AnchorOrigin = {},
  ): void {
    this.#repositories.clear()
    const [repository, ...others] = repositories.slice(0, MAX_REPOSITORIES)
    this.#insertFound.run({ layer, anchor, repository: repository ?? null, held: held ? 1 : 0, depth })
    this.#insertAnchor.run(this.#target, scope, layer, anchor, repository ?? null, depth)
    if (others.length > 0) this.#addRepositories(anchor, others)
  }

  /** Anchors of a layer found after `number` (0 for all), in order of discovery, at most `limit`. */
  after(layer: LayerName, number: number, limit: number): FoundAnchor[] {
    const rows = this.#db
      .prepare('SELECT anchor, number, held FROM temp.found WHERE layer = ? AND number > ? ORDER BY number LIMIT ?')
      .all(layer, number, limit) as { anchor: string; number: number; held: number }[]
    return rows.map((row) => ({ ...row, held: row.held === 1 }))
  }

  /** Whether this run knows the anchor in one of these layers. */
  has(anchor: string, layers: readonly LayerName[] = ['repositories', 'threads']): boolean {
    const sql = 'SELECT 1 FROM temp.found WHERE layer IN (SELECT value FROM json_each(?)) AND anchor = ?'
    return this.#db.prepare(sql).get(JSON.stringify(layers), anchor) !== undefined
  }

  /** The repositories that a root belongs to, most important first; empty if the root is unknown or names none. */
  repositoriesOf(root: string): readonly string[] {
    const known = this.#repositories.get(root)
    if (known !== undefined) return known
    const rows = this.#findRepositories.all({ root, target: this.#target })
    const repositories = rows.map(({ repository }) => repository)
    if (this.#repositories.size >= MOST_ROOTS) this.#repositories.clear()
    this.#repositories.set(root, repositories)
    return repositories
  }

  /** The lowest depth among these anchors of the follow-ups; undefined if none of them is one. */
  followDepth(anchors: readonly string[]): number | undefined {
    const sql = `SELECT min(depth) AS depth FROM temp.found
      WHERE layer = 'follow-ups' AND anchor IN (SELECT value FROM json_each(?))`
    return (this.#db.prepare(sql).get(JSON.stringify(anchors)) as { depth: number | null }).depth ?? undefined
  }

  /** The number of the last anchor found in a layer; 0 if there is none. */
  last(layer: LayerName): number {
    const row = this.#db.prepare('SELECT max(number) AS n FROM temp.found WHERE layer = ?').get(layer)
    return (row as { n: number | null }).n ?? 0
  }

  /** Remembers an announcement, in outline, if it is the newest of its address. */
  rememberAnnouncement(address: string, event: NostrEvent): void {
    this.#db
      .prepare(
        `INSERT INTO announcement (target, address, id, created_at, json) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (target, address) DO UPDATE SET id = excluded.id, created_at = excluded.created_at, json = excluded.json
         WHERE excluded.created_at > created_at OR (excluded.created_at = created_at AND excluded.id < id)`,
      )
      .run(
        this.#target,
        address,
        Buffer.from(event.id, 'hex'),
        event.created_at,
        JSON.stringify(outlineAnnouncement(event)),
      )
  }

  /** Forgets an announcement that its author deleted. */
  forgetAnnouncement(address: string): void {
    this.#db.prepare('DELETE FROM announcement WHERE target = ? AND address = ?').run(this.#target, address)
  }

  /**
   * Yields the newest announcement of every address remembered for this target, in outline. Do not write while
   * iterating.
   */
  announcements(): Generator<NostrEvent> {
    return this.#eachEvent('SELECT json FROM announcement WHERE target = ? ORDER BY address')
  }

  /** The newest announcement of an address, in outline, if remembered. */
  announcement(address: string): NostrEvent | undefined {
    const row = this.#db
      .prepare('SELECT json FROM announcement WHERE target = ? AND address = ?')
      .get(this.#target, address) as { json: string } | undefined
    return row && (JSON.parse(row.json) as NostrEvent)
  }

  /** Yields those of these announcements that the target was known to serve. Do not write while iterating. */
  servedAnnouncements(): Generator<NostrEvent> {
    return this.#eachEvent('SELECT json FROM announcement JOIN known USING (target, id) WHERE target = ?')
  }

  *#eachEvent(sql: string): Generator<NostrEvent> {
    const rows = this.#db.prepare(sql).iterate(this.#target) as IterableIterator<{ json: string }>
    for (const { json } of rows) yield JSON.parse(json) as NostrEvent
  }

  #addRepositories(anchor: string, repositories: readonly string[]): void {
    const insert = this.#db.prepare('INSERT OR IGNORE INTO also_in (target, anchor, repository) VALUES (?, ?, ?)')
    for (const repository of repositories) insert.run(this.#target, anchor, repository)
  }
}
