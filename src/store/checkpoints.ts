import type { AnchorRead } from '../checkpoint/advance.ts'
import type { LayerVersions } from '../checkpoint/layers.ts'
import type { Checkpoint } from '../checkpoint/plan.ts'
import type { LayerName } from '../layer-name.ts'
import type { Db } from './state-file.ts'

/** A checkpoint row; `hadEvents`: the source once served events for the anchor. */
export type CheckpointRow = Checkpoint & { readonly hadEvents: boolean }

/** How one anchor was read in this run, and its checkpoint before. */
export type ReadRow = AnchorRead & {
  readonly layer: LayerName
  readonly anchor: string
  readonly hadEvents: boolean
  readonly before: CheckpointRow | undefined
}

type Row = { version: number; drained_at: number; full_at: number; had_events: number }
type JoinedRow = (Row | { version: null }) & {
  layer: LayerName
  anchor: string
  mode: 'full' | 'since'
  since: number | null
  open: number
  found: number
}

/** The checkpoints of one target, and how this run read each anchor. */
export class CheckpointStore {
  readonly #db: Db
  readonly #target: string
  readonly #versions: LayerVersions
  readonly #ignored = new Set<string>()
  readonly #heldBack = new Set<string>()
  /** What is run for each anchor is prepared once. */
  readonly #statements
  #isIgnored = false
  #isFrozen = false
  #wasVoided = false
  #isHeldBack = false

  constructor(db: Db, target: string, versions: LayerVersions) {
    this.#db = db
    this.#target = target
    this.#versions = versions
    this.#statements = {
      load: db.prepare(LOAD),
      plan: db.prepare(PLAN),
      note: db.prepare(NOTE),
      save: db.prepare(SAVE),
    }
  }

  /** From now on this run believes no checkpoint; they stay on disk. */
  ignoreInThisRun(): void {
    this.#isIgnored = true
  }

  /** From now on this run believes and moves no checkpoint, of all sources or of one; they stay on disk. */
  holdBack(source?: string): void {
    if (source === undefined) {
      this.#isIgnored = true
      this.#isHeldBack = true
      return
    }
    this.#ignored.add(source)
    this.#heldBack.add(source)
  }

  /**
   * From now on no anchor counts as drained in this run. Called when an event did not fit on disk: its id is already
   * marked as seen, so another source could not bring it either.
   */
  freeze(): void {
    this.#isFrozen = true
  }

  /** The checkpoint of an anchor; rows of disbelieved layer versions count as never drained. */
  load(source: string, layer: LayerName, anchor: string): CheckpointRow | undefined {
    if (this.#isIgnored || this.#ignored.has(source)) return undefined
    const row = this.#statements.load.get(this.#target, source, layer, anchor) as Row | undefined
    return row && this.#believe(layer, row)
  }

  /** Whether this target has no checkpoint; `withEvents` counts only anchors for which a source served events. */
  isEmpty({ withEvents = false } = {}): boolean {
    const sql = 'SELECT 1 FROM coverage WHERE target = ? AND had_events >= ? LIMIT 1'
    return this.#db.prepare(sql).get(this.#target, withEvents ? 1 : 0) === undefined
  }

  /** Whether an earlier run has read any anchor of this source to its end. */
  hasDrained(source: string): boolean {
    const sql = 'SELECT 1 FROM coverage WHERE target = ? AND source = ? LIMIT 1'
    return this.#db.prepare(sql).get(this.#target, source) !== undefined
  }

  /** Whether this run has found that the target lost what it held. */
  get wasVoided(): boolean {
    return this.#wasVoided
  }

  /** Forgets the checkpoints of this target. Anchors and parked events stay. */
  void(): void {
    this.#wasVoided = true
    this.#db.prepare('DELETE FROM coverage WHERE target = ?').run(this.#target)
  }

  /** Forgets the checkpoint of one anchor at a source. */
  forget(source: string, layer: LayerName, anchor: string): void {
    this.#db
      .prepare('DELETE FROM coverage WHERE target = ? AND source = ? AND layer = ? AND anchor = ?')
      .run(this.#target, source, layer, anchor)
  }

  /** Notes how anchors are read in this run. */
  plan(source: string, layer: LayerName, anchors: readonly string[], read: Omit<AnchorRead, 'drained'>): void {
    this.#statements.plan.run(source, layer, read.mode, read.since ?? null, JSON.stringify(anchors))
  }

  /** Notes that a filter of these anchors was not drained, or that it brought events. */
  note(
    source: string,
    layer: LayerName,
    anchors: readonly string[],
    found: { drained: boolean; events: boolean },
  ): void {
    if (found.drained && !found.events) return
    const { note } = this.#statements
    for (const anchor of anchors) note.run(found.drained ? 0 : 1, found.events ? 1 : 0, source, layer, anchor)
  }

  /** Notes that the source cannot be believed in this run: none of its anchors counts as drained. */
  noteAllOpen(source: string): void {
    this.#db.prepare('UPDATE temp.read SET open = open + 1 WHERE source = ?').run(source)
  }

  /** Whether the source was asked for the anchor in this run. */
  isRead(source: string, layer: LayerName, anchor: string): boolean {
    const sql = 'SELECT 1 FROM temp.read WHERE source = ? AND layer = ? AND anchor = ?'
    return this.#db.prepare(sql).get(source, layer, anchor) !== undefined
  }

  /** Yields every anchor read at a source in this run. Reads in pieces, so writing meanwhile is safe. */
  *reads(source: string): Generator<ReadRow> {
    const page = this.#db.prepare(
      `SELECT r.layer, r.anchor, r.mode, r.since, r.open, r.had_events AS found,
         c.version, c.drained_at, c.full_at, c.had_events
       FROM temp.read r LEFT JOIN coverage c ON c.target = ? AND c.source = r.source AND c.layer = r.layer
         AND c.anchor = r.anchor
       WHERE r.source = ? AND (r.layer, r.anchor) > (?, ?) ORDER BY r.layer, r.anchor LIMIT 1000`,
    )
    let last: { layer: string; anchor: string } = { layer: '', anchor: '' }
    for (;;) {
      const rows = page.all(this.#target, source, last.layer, last.anchor) as JoinedRow[]
      const isFrozen = this.#isFrozen || this.#isHeldBack || this.#heldBack.has(source)
      yield* rows.map((row) => {
        const before = row.version === null ? undefined : this.#believe(row.layer, row)
        return toReadRow(row, before, isFrozen)
      })
      const end = rows.at(-1)
      if (end === undefined) return
      last = end
    }
  }

  /** Writes a checkpoint. */
  save(source: string, layer: LayerName, anchor: string, row: CheckpointRow): void {
    const version = this.#versions.get(layer)?.[0]
    const { drainedAt, fullAt, hadEvents } = row
    this.#statements.save.run(this.#target, source, layer, anchor, version, drainedAt, fullAt, hadEvents ? 1 : 0)
  }

  #believe(layer: LayerName, row: Row): CheckpointRow | undefined {
    if (this.#versions.get(layer)?.includes(row.version) !== true) return undefined
    return { drainedAt: row.drained_at, fullAt: row.full_at, hadEvents: row.had_events === 1 }
  }
}

const LOAD = `
SELECT version, drained_at, full_at, had_events FROM coverage
WHERE target = ? AND source = ? AND layer = ? AND anchor = ?`

const PLAN = `
INSERT OR IGNORE INTO temp.read (source, layer, mode, since, anchor, open, had_events)
SELECT ?, ?, ?, ?, value, 0, 0 FROM json_each(?)`

const NOTE = `
UPDATE temp.read SET open = open + ?, had_events = max(had_events, ?) WHERE source = ? AND layer = ? AND anchor = ?`

const SAVE = `
INSERT OR REPLACE INTO coverage (target, source, layer, anchor, version, drained_at, full_at, had_events)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)`

function toReadRow(row: JoinedRow, before: CheckpointRow | undefined, isFrozen: boolean): ReadRow {
  return {
    layer: row.layer,
    anchor: row.anchor,
    mode: row.mode,
    since: row.since ?? undefined,
    drained: row.open === 0 && !isFrozen,
    hadEvents: row.found === 1,
    before,
  }
}
