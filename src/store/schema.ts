/** The schema version that this program writes to the state file (`PRAGMA user_version`). */
export const SCHEMA_VERSION = 6

/** Distinguishes our files from those of other programs (`PRAGMA application_id`): "ngit" in ASCII. */
export const APPLICATION_ID = 0x6e676974

const ALSO_IN = `
CREATE TABLE also_in (
  target TEXT NOT NULL, anchor TEXT NOT NULL, repository TEXT NOT NULL,
  PRIMARY KEY (target, anchor, repository)
) STRICT, WITHOUT ROWID;
`

/** Assumes that in an earlier run that did not fail, every sent event that does not wait was accepted. */
const ACCEPTED = `
ALTER TABLE run ADD COLUMN accepted INTEGER NOT NULL DEFAULT 0;
UPDATE run SET accepted = 1 WHERE published > parked AND exit IN (0, 3);
`

/** For finding authors whose profile or relay list was refused, each time one of their events is accepted. */
const SPOOL_PROFILES = `
CREATE INDEX spool_profile ON spool (target, pubkey) WHERE kind IN (0, 10002);
`

const OBSTACLE = `ALTER TABLE spool ADD COLUMN obstacle TEXT;${SPOOL_PROFILES}`

const WITNESS = `
CREATE TABLE witness (
  target TEXT NOT NULL, relay TEXT NOT NULL, subject TEXT NOT NULL, id BLOB NOT NULL, pubkey BLOB NOT NULL,
  address TEXT, created_at INTEGER NOT NULL, expires_at INTEGER, repositories TEXT NOT NULL,
  proved_at INTEGER NOT NULL, published INTEGER NOT NULL,
  PRIMARY KEY (target, relay, subject)
) STRICT, WITHOUT ROWID;
`

/** How each source that the operator named was read last; `since`: when that state began. Times are Unix seconds. */
const SOURCE = `
CREATE TABLE source (
  target TEXT NOT NULL, source TEXT NOT NULL, state TEXT NOT NULL, reason TEXT,
  since INTEGER NOT NULL, asked_at INTEGER NOT NULL, drained_at INTEGER,
  PRIMARY KEY (target, source)
) STRICT, WITHOUT ROWID;
`

/** Finds the repositories of spooled events as far as their own tags name them; a run finds the others. */
const REPOSITORY = `
ALTER TABLE spool ADD COLUMN repository TEXT;
UPDATE spool SET repository = CASE WHEN kind = 30617 THEN address ELSE (
  SELECT json_extract(t.value, '$[1]') FROM json_each(spool.json, '$.tags') t
  WHERE json_extract(t.value, '$[0]') = 'a' AND json_extract(t.value, '$[1]') LIKE '30617:%' LIMIT 1) END;
`

/** Earlier versions followed only what refers to events of layers 2 and 3: one step. */
const FOLLOW_DEPTH = `ALTER TABLE anchor ADD COLUMN depth INTEGER NOT NULL DEFAULT 1;`
/** A change of state rewrites the row, so the text, which never changes, lies beside it. They come and go together. */
const SPOOL = `
CREATE TABLE spool (
  number INTEGER PRIMARY KEY, target TEXT NOT NULL, id BLOB NOT NULL, layer TEXT NOT NULL, kind INTEGER NOT NULL,
  pubkey BLOB NOT NULL, address TEXT, created_at INTEGER NOT NULL, sources TEXT NOT NULL,
  state TEXT NOT NULL, stage INTEGER NOT NULL DEFAULT 0, level INTEGER NOT NULL DEFAULT 0,
  outcome TEXT, reason TEXT, orphan INTEGER NOT NULL DEFAULT 0, error_runs INTEGER NOT NULL DEFAULT 0,
  parked_at INTEGER, settled_at INTEGER, last_ok_at INTEGER, retry_at INTEGER, attempts INTEGER NOT NULL DEFAULT 0,
  late INTEGER NOT NULL DEFAULT 0, software TEXT, obstacle TEXT, repository TEXT
) STRICT;
CREATE TABLE spool_text (number INTEGER PRIMARY KEY, json TEXT NOT NULL) STRICT;
CREATE TRIGGER spool_gone AFTER DELETE ON spool BEGIN
  DELETE FROM spool_text WHERE number = old.number;
END;
`

const SPOOL_INDEXES = `
CREATE UNIQUE INDEX spool_id ON spool (target, id);
CREATE INDEX spool_order ON spool (target, state, stage, level, created_at, id);
CREATE INDEX spool_address ON spool (target, address) WHERE address IS NOT NULL;
${SPOOL_PROFILES}`

const MOVED_COLUMNS = `target, id, layer, kind, pubkey, address, created_at, sources, state, stage, level, outcome, reason, orphan,
  error_runs, parked_at, settled_at, last_ok_at, retry_at, attempts, late, software, obstacle, repository`

/** Parts the rows from their text. The indexes go with the old table, whose names they have. */
const TEXT_APART = `
ALTER TABLE spool RENAME TO old_spool;
${SPOOL}
INSERT INTO spool (number, ${MOVED_COLUMNS}) SELECT rowid, ${MOVED_COLUMNS} FROM old_spool;
INSERT INTO spool_text (number, json) SELECT rowid, json FROM old_spool;
DROP TABLE old_spool;
${SPOOL_INDEXES}`

/** Earlier versions noted sources only by what was read to its end. */
const OLD_SOURCES = `
INSERT INTO source SELECT target, source, 'unknown', NULL, max(drained_at), max(drained_at), max(drained_at)
FROM coverage GROUP BY target, source;
`

/**
 * Upgrades a state file from one version to the next. Drops witnesses of version 2, which do not tell deletions from
 * other events, nor name their repositories; so the next run is full.
 */
export const UPGRADES: readonly { readonly from: number; readonly sql: string }[] = [
  { from: 1, sql: ALSO_IN },
  { from: 2, sql: `${ACCEPTED}${OBSTACLE}DROP TABLE witness; ${WITNESS}` },
  { from: 3, sql: `${REPOSITORY}ALTER TABLE run ADD COLUMN reason TEXT;${SOURCE}${OLD_SOURCES}` },
  { from: 4, sql: TEXT_APART },
  { from: 5, sql: FOLLOW_DEPTH },
]

/*
 * Ids and public keys are 32-byte blobs. Every table but `run` is keyed by target: one state file may serve several.
 * A root belongs to the `repository` of its anchor, and to those in `also_in`. The `depth` of an anchor of the
 * follow-ups: how many steps lead from layer 2 or 3 to the events that refer to it.
 * The `subject` of a witness is its address, or the id of a regular event.
 * `spool` removes duplicates, keeps the newest version per address, gives the order of publishing, is the journal after
 * a crash, and holds the parked events; `spool_text` has their text. Its `obstacle` is the missing parent (an address or
 * an id), its `repository` the address that the event belongs to, as far as selection knew it.
 */
export const SCHEMA = `
CREATE TABLE coverage (
  target TEXT NOT NULL, source TEXT NOT NULL, layer TEXT NOT NULL, anchor TEXT NOT NULL,
  version INTEGER NOT NULL, drained_at INTEGER NOT NULL, full_at INTEGER NOT NULL, had_events INTEGER NOT NULL,
  PRIMARY KEY (target, source, layer, anchor)
) STRICT, WITHOUT ROWID;

CREATE TABLE anchor (
  target TEXT NOT NULL, scope TEXT NOT NULL, layer TEXT NOT NULL, anchor TEXT NOT NULL, repository TEXT, depth INTEGER NOT NULL DEFAULT 1,
  PRIMARY KEY (target, scope, layer, anchor)
) STRICT, WITHOUT ROWID;

${ALSO_IN}
CREATE TABLE announcement (
  target TEXT NOT NULL, address TEXT NOT NULL, id BLOB NOT NULL, created_at INTEGER NOT NULL, json TEXT NOT NULL,
  PRIMARY KEY (target, address)
) STRICT;

CREATE TABLE known (
  target TEXT NOT NULL, id BLOB NOT NULL, kind INTEGER NOT NULL, created_at INTEGER NOT NULL,
  PRIMARY KEY (target, id)
) STRICT, WITHOUT ROWID;

${SPOOL}
${SPOOL_INDEXES}
${WITNESS}
${SOURCE}
CREATE TABLE run (
  number INTEGER PRIMARY KEY, target TEXT NOT NULL, command TEXT NOT NULL, scope TEXT, started_at INTEGER NOT NULL,
  duration_ms INTEGER, exit INTEGER, published INTEGER, parked INTEGER, accepted INTEGER NOT NULL DEFAULT 0,
  reason TEXT
) STRICT;
CREATE INDEX run_target ON run (target, number);
`

/*
 * Tables that live as long as one run, in SQLite's temporary file. `read` holds how each anchor is read at each source
 * in this run; an anchor is drained there if none of its filters stayed open. `settled_…` count the events that left
 * the spool, by repository ('' without one) and by the hour in which they were signed. `copy` says which end has which
 * event, one bit of `held` for each end, and how many these are.
 */
export const RUN_SCHEMA = `
CREATE TEMP TABLE seen (id BLOB PRIMARY KEY, pubkey BLOB NOT NULL, layer TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TEMP TABLE served (id BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TEMP TABLE sent (id BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TEMP TABLE differing (id BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TEMP TABLE copy (
  id BLOB PRIMARY KEY, pubkey BLOB NOT NULL, kind INTEGER NOT NULL, created_at INTEGER NOT NULL, address TEXT,
  repository TEXT, json TEXT, counts INTEGER NOT NULL, asked INTEGER NOT NULL DEFAULT 0,
  held INTEGER NOT NULL DEFAULT 0, copies INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX temp.copy_address ON copy (address, created_at) WHERE address IS NOT NULL;
CREATE TEMP TABLE settled_repository (
  repository TEXT PRIMARY KEY, sent INTEGER NOT NULL, refused INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TEMP TABLE settled_hour (
  hour INTEGER PRIMARY KEY, events INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL
) STRICT;
CREATE TEMP TABLE found (
  layer TEXT NOT NULL, anchor TEXT NOT NULL, repository TEXT, number INTEGER NOT NULL, held INTEGER NOT NULL,
  depth INTEGER NOT NULL, PRIMARY KEY (layer, anchor)
) STRICT, WITHOUT ROWID;
CREATE INDEX temp.found_number ON found (layer, number);
CREATE TEMP TABLE read (
  source TEXT NOT NULL, layer TEXT NOT NULL, anchor TEXT NOT NULL, mode TEXT NOT NULL, since INTEGER,
  open INTEGER NOT NULL, had_events INTEGER NOT NULL, PRIMARY KEY (source, layer, anchor)
) STRICT, WITHOUT ROWID;
CREATE TEMP TABLE deletion (
  author BLOB NOT NULL, reference TEXT NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (author, reference)
) STRICT, WITHOUT ROWID;
CREATE TEMP TABLE vanished (author BLOB PRIMARY KEY, until INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TEMP TABLE asked_author (
  relay TEXT NOT NULL, author BLOB NOT NULL, PRIMARY KEY (relay, author)
) STRICT, WITHOUT ROWID;
CREATE TEMP TABLE link (
  child BLOB NOT NULL, parent BLOB NOT NULL, level INTEGER, PRIMARY KEY (parent, child)
) STRICT, WITHOUT ROWID;
CREATE INDEX temp.link_level ON link (level, child);
CREATE INDEX temp.link_child ON link (child, level);
`
