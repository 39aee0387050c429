/*
 * Rows that no run can need any more, from earlier runs and from files of earlier versions. What is not proved to be
 * one of these stays: anchors, debts, and whatever waits or was refused (it may be the only copy that is left).
 */
import type { LayerVersions } from '../checkpoint/layers.ts'
import type { NostrEvent } from '../nostr/event.ts'
import { outlineAnnouncement } from '../nostr/outline-announcement.ts'
import type { UnixSeconds } from '../time.ts'
import type { Db } from './state-file.ts'

/** Runs of a target that are remembered. */
const KEPT_RUNS = 1_000
const UNUSED_SECONDS = 365 * 86_400
const AT_ONCE = 25

/** What decides whether a row can still be needed. `versions`: of the layers whose checkpoints any run believes. */
export type PruneOptions = { readonly now: UnixSeconds; readonly versions: LayerVersions }

/** Removes, for one target, what no run can need. */
export function pruneState(db: Db, target: string, { now, versions }: PruneOptions): void {
  db.transaction(() => {
    pruneAnnouncements(db, target)
    pruneCheckpoints(db, target, versions)
    pruneSources(db, target, now - UNUSED_SECONDS)
    pruneRuns(db, target)
  }).immediate()
  outlineAnnouncements(db, target)
}

/** Those of strangers: in no scope, since each that ever was is an anchor there, and not served by the target. */
function pruneAnnouncements(db: Db, target: string): void {
  db.prepare(
    `DELETE FROM announcement WHERE target = @target
     AND address NOT IN (SELECT anchor FROM anchor WHERE target = @target AND layer IN ('announcements', 'repositories'))
     AND NOT EXISTS (SELECT 1 FROM known k WHERE k.target = announcement.target AND k.id = announcement.id)`,
  ).run({ target })
}

/** Older versions count as never drained, by whatever run. */
function pruneCheckpoints(db: Db, target: string, versions: LayerVersions): void {
  db.prepare(
    `DELETE FROM coverage WHERE target = ?
     AND version NOT IN (SELECT value FROM json_each(?, '$."' || coverage.layer || '"'))`,
  ).run(target, JSON.stringify(Object.fromEntries(versions)))
}

/** Of a source that no run has drained for a year, everything is read again if it comes back. */
function pruneSources(db: Db, target: string, usedAfter: UnixSeconds): void {
  const unused = db
    .prepare('SELECT source FROM coverage WHERE target = ? GROUP BY source HAVING max(drained_at) < ?')
    .all(target, usedAfter) as { source: string }[]
  for (const { source } of unused) {
    db.prepare('DELETE FROM coverage WHERE target = ? AND source = ?').run(target, source)
    db.prepare('DELETE FROM witness WHERE target = ? AND relay = ?').run(target, source)
  }
}

/** The last one that was accepted something and the last one with a scope are asked about, however old they are. */
function pruneRuns(db: Db, target: string): void {
  db.prepare(
    `DELETE FROM run WHERE target = @target AND number NOT IN (
       SELECT number FROM (SELECT number FROM run WHERE target = @target ORDER BY number DESC LIMIT ${KEPT_RUNS})
       UNION ALL SELECT max(number) FROM run WHERE target = @target AND accepted = 1
       UNION ALL SELECT max(number) FROM run WHERE target = @target AND scope IS NOT NULL)
     AND (SELECT count(*) FROM run WHERE target = @target) > ${KEPT_RUNS}`,
  ).run({ target })
}

/** Files of earlier versions hold them whole, with signatures. A few at once: each may be large. */
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
