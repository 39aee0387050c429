/*
 * Removes rows of earlier runs and versions that no run can need any more. Everything else stays: anchors, debts, and
 * events that wait or were refused (they may be the only copy left).
 */
import type { LayerVersions } from '../checkpoint/layers.ts'
import type { NostrEvent } from '../nostr/event.ts'
import { outlineAnnouncement } from '../nostr/outline-announcement.ts'
import type { UnixSeconds } from '../time.ts'
import type { Db } from './state-file.ts'

/** The number of remembered runs per target. */
const KEPT_RUNS = 1_000
const UNUSED_SECONDS = 365 * 86_400
const AT_ONCE = 25

/** The inputs for pruning. `versions`: layer versions whose checkpoints any run believes. */
export type PruneOptions = { readonly now: UnixSeconds; readonly versions: LayerVersions }

/** Removes the rows of one target that no run can need. */
export function pruneState(db: Db, target: string, { now, versions }: PruneOptions): void {
  db.transaction(() => {
    pruneAnnouncements(db, target)
    pruneCheckpoints(db, target, versions)
    pruneSources(db, target, now - UNUSED_SECONDS)
    pruneRuns(db, target)
  }).immediate()
  outlineAnnouncements(db, target)
}

/** Announcements of strangers: never in scope (otherwise they would be anchors), and not served by the target. */
function pruneAnnouncements(db: Db, target: string): void {
  db.prepare(
    `DELETE FROM announcement WHERE target = @target
     AND address NOT IN (SELECT anchor FROM anchor WHERE target = @target AND layer IN ('announcements', 'repositories'))
     AND NOT EXISTS (SELECT 1 FROM known k WHERE k.target = announcement.target AND k.id = announcement.id)`,
  ).run({ target })
}

/** Every run treats older versions as never drained. */
function pruneCheckpoints(db: Db, target: string, versions: LayerVersions): void {
  db.prepare(
    `DELETE FROM coverage WHERE target = ? AND (layer, version) NOT IN
     (SELECT layer.key, version.value FROM json_each(?) AS layer, json_each(layer.value) AS version)`,
  ).run(target, JSON.stringify(Object.fromEntries(versions)))
}

/** If a source that no run has drained for a year comes back, everything is read again. */
function pruneSources(db: Db, target: string, usedAfter: UnixSeconds): void {
  const unused = db
    .prepare('SELECT source FROM coverage WHERE target = ? GROUP BY source HAVING max(drained_at) < ?')
    .all(target, usedAfter) as { source: string }[]
  db.prepare('DELETE FROM source WHERE target = ? AND asked_at < ?').run(target, usedAfter)
  for (const { source } of unused) {
    db.prepare('DELETE FROM coverage WHERE target = ? AND source = ?').run(target, source)
    db.prepare('DELETE FROM witness WHERE target = ? AND relay = ?').run(target, source)
  }
}

/**
 * Always keeps the last run in which the target accepted something and the last one with a scope; both are looked up.
 */
function pruneRuns(db: Db, target: string): void {
  db.prepare(
    `DELETE FROM run WHERE target = @target AND number NOT IN (
       SELECT number FROM (SELECT number FROM run WHERE target = @target ORDER BY number DESC LIMIT ${KEPT_RUNS})
       UNION ALL SELECT max(number) FROM run WHERE target = @target AND accepted = 1
       UNION ALL SELECT max(number) FROM run WHERE target = @target AND scope IS NOT NULL)
     AND (SELECT count(*) FROM run WHERE target = @target) > ${KEPT_RUNS}`,
  ).run({ target })
}

/**
 * Earlier versions stored announcements whole, with signatures. Converts a few at a time, because each may be large.
 */
function outlineAnnouncements(db: Db, target: string): void {
  const page = db.prepare<[string], { rowid: number; json: string }>(
    `SELECT rowid, json FROM announcement WHERE target = ? AND instr(json, '"sig":""') = 0 LIMIT ${AT_ONCE}`,
  )
  const update = db.prepare('UPDATE announcement SET json = ? WHERE rowid = ?')
  const outlinePage = db.transaction((rows: readonly { rowid: number; json: string }[]) => {
    for (const { rowid, json } of rows)
      update.run(JSON.stringify(outlineAnnouncement(JSON.parse(json) as NostrEvent)), rowid)
  })
  for (let rows = page.all(target); rows.length > 0; rows = page.all(target)) outlinePage.immediate(rows)
}
