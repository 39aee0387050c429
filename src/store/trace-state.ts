import { nextTryAt } from '../checkpoint/next-try.ts'
import { isNewerVersion } from '../nostr/address.ts'
import type { NostrEvent } from '../nostr/event.ts'
import type { EventHistory, SeenAtTarget, Subject, WhyReport } from '../report/why.ts'
import type { Db } from './state-file.ts'
import type { Spool } from './spool.ts'
import { toBlob, type SpooledEvent, type SpoolState } from './spooled-event.ts'

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

/** A target: its name in the state file, the URL by which it is asked, and its spool. */
export type TracedTarget = { readonly key: string; readonly url: string; readonly spool: Spool }

/** Looks up what the state file remembers of an event for one target. Writes nothing. */
export function traceState(db: Db, traced: TracedTarget, subject: Subject): StoredTrace {
  const { key: target, spool } = traced
  const spooled = subject.type === 'id' ? spool.find(subject.id) : newestOf(spool.versions(subject.address))
  return {
    event: spooled?.event ?? findAnnouncement(db, target, subject),
    history: spooled === undefined ? null : toHistory(spooled, sourceOf(db, target, spooled)),
    seenAtTarget: findSeen(db, traced, subject) ?? null,
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

function newestOf(versions: readonly SpooledEvent[]): SpooledEvent | undefined {
  return [...versions].sort((a, b) => (isNewerVersion(a.event, b.event) ? -1 : 1))[0]
}

function sourceOf(db: Db, target: string, { event }: SpooledEvent): string[] {
  const row = db.prepare('SELECT sources FROM spool WHERE target = ? AND id = ?').get(target, toBlob(event.id))
  return row === undefined ? [] : [(row as { sources: string }).sources]
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

function toHistory(spooled: SpooledEvent, sources: readonly string[]): EventHistory {
  const { state, layer, outcome, reason, obstacle, attempts, parkedAt, settledAt, lastOkAt, software } = spooled
  return {
    state: STATES[state],
    layer,
    outcome: outcome ?? null,
    reason: reason ?? '',
    obstacle: obstacle ?? null,
    attempts,
    waitsSince: parkedAt ?? null,
    settledAt: settledAt ?? null,
    lastOkAt: lastOkAt ?? null,
    nextTryAt: (state === 'parked' ? nextTryAt(spooled) : undefined) ?? null,
    software: software ?? null,
    sources,
  }
}

const LAST_RUN = `
SELECT started_at AS startedAt, exit FROM run WHERE target = ? AND exit IS NOT NULL AND command <> 'check'
ORDER BY number DESC LIMIT 1`
