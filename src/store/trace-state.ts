import { nextTryAt } from '../checkpoint/next-try.ts'
import type { NostrEvent } from '../nostr/event.ts'
import type { EventHistory, SeenAtTarget, Subject, WhyReport } from '../report/why.ts'
import type { Db } from './state-file.ts'
import { fromRow, SPOOL_COLUMNS, toBlob, type SpoolRow, type SpoolState } from './spooled-event.ts'

/** What the state file of one target remembers of an event. */
export type StoredTrace = {
  /** The event itself, of an announcement only an outline; undefined if it is not kept. */
  readonly event: NostrEvent | undefined
  readonly history: EventHistory | null
  readonly seenAtTarget: SeenAtTarget | null
  readonly lastRun: WhyReport['lastRun']
}

const STATES: Readonly<Record<SpoolState, EventHistory['state']>> = {
  candidate: 'working',
  outside: 'working',
  ready: 'working',
  confirming: 'working',
  parked: 'waiting',
  refused: 'refused',
  held: 'held',
}

/** A target: its name in the state file, and the URL by which it is asked. */
export type TracedTarget = { readonly key: string; readonly url: string }

/** Looks up what the state file remembers of an event for one target. Writes nothing. */
export function traceState(db: Db, { key: target, url }: TracedTarget, subject: Subject): StoredTrace {
  const row = findSpooled(db, target, subject)
  const outline = row === undefined ? findAnnouncement(db, target, subject) : undefined
  return {
    event: row === undefined ? outline : fromRow(row).event,
    history: row === undefined ? null : toHistory(row),
    seenAtTarget: findSeen(db, { key: target, url }, subject) ?? null,
    lastRun: (db.prepare(LAST_RUN).get(target) as WhyReport['lastRun'] | undefined) ?? null,
  }
}

/** The sources that runs for the target asked, those asked last first. */
export function rememberedSources(db: Db, target: string): string[] {
  const rows = db.prepare('SELECT source FROM source WHERE target = ? ORDER BY asked_at DESC, source').all(target)
  return (rows as { source: string }[]).map(({ source }) => source)
}

/** The service of the `listed` scope of earlier runs, as `host:port/path`; undefined if there is none, or several. */
export function rememberedService(db: Db, target: string): string | undefined {
  const sql = `SELECT DISTINCT anchor FROM anchor WHERE target = ? AND layer = 'announcements' AND anchor LIKE 'listed:%'`
  const rows = db.prepare(sql).all(target) as { anchor: string }[]
  return rows.length === 1 ? rows[0]?.anchor.slice('listed:'.length) : undefined
}

type Row = SpoolRow & { readonly sources: string }

function findSpooled(db: Db, target: string, subject: Subject): Row | undefined {
  const columns = `${SPOOL_COLUMNS}, sources`
  if (subject.type === 'id')
    return db.prepare(`SELECT ${columns} FROM spool WHERE target = ? AND id = ?`).get(target, toBlob(subject.id)) as
      Row | undefined
  const sql = `SELECT ${columns} FROM spool WHERE target = ? AND address = ? ORDER BY created_at DESC, id LIMIT 1`
  return db.prepare(sql).get(target, subject.address) as Row | undefined
}

function findAnnouncement(db: Db, target: string, subject: Subject): NostrEvent | undefined {
  const [column, value] = subject.type === 'id' ? ['id', toBlob(subject.id)] : ['address', subject.address]
  const sql = `SELECT json FROM announcement WHERE target = ? AND ${column} = ?`
  const row = db.prepare(sql).get(target, value) as { json: string } | undefined
  return row && (JSON.parse(row.json) as NostrEvent)
}

/** A witness tells when it was first seen; what is known of announcements and roots has no time. */
function findSeen(db: Db, { key: target, url }: TracedTarget, subject: Subject): SeenAtTarget | undefined {
  const [column, value] = subject.type === 'id' ? ['id', toBlob(subject.id)] : ['subject', subject.address]
  const sql = `SELECT proved_at, published FROM witness
    WHERE target = @target AND relay IN (@target, @url) AND ${column} = @value`
  const witness = db.prepare(sql).get({ target, url, value }) as { proved_at: number; published: number } | undefined
  if (witness !== undefined) return { at: witness.proved_at, isOurs: witness.published === 1 }
  if (subject.type === 'address') return undefined
  const known = db.prepare('SELECT 1 FROM known WHERE target = ? AND id = ?').get(target, toBlob(subject.id))
  return known === undefined ? undefined : { at: null, isOurs: false }
}

function toHistory(row: Row): EventHistory {
  const spooled = fromRow(row)
  return {
    state: STATES[row.state],
    layer: row.layer,
    outcome: row.outcome,
    reason: row.reason ?? '',
    obstacle: row.obstacle,
    attempts: row.attempts,
    waitsSince: row.parked_at,
    settledAt: row.settled_at,
    lastOkAt: row.last_ok_at,
    nextTryAt: (row.state === 'parked' ? nextTryAt(spooled) : undefined) ?? null,
    software: row.software,
    sources: [row.sources],
  }
}

const LAST_RUN = `
SELECT started_at AS startedAt, exit FROM run WHERE target = ? AND exit IS NOT NULL AND command <> 'check'
ORDER BY number DESC LIMIT 1`
