import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

import { describe, expect, it, onTestFinished } from 'vitest'

import { SyncError } from '../../src/errors.ts'
import { Sqlite } from '../../src/sqlite.ts'
import { SCHEMA_VERSION } from '../../src/store/schema.ts'
import { openScratchCopy, openStateFile } from '../../src/store/state-file.ts'
import { issue } from '../support/builders.ts'
import { keyOf } from '../support/sign.ts'
import { openTemporaryState, temporaryDirectory } from '../support/temporary-state.ts'

const NOBODY = 65_534
const event = issue(`30617:${'a'.repeat(64)}:x`, keyOf('author'))
const FROM = { layer: 'threads', source: 'ws://source', isLate: false, isOutside: false } as const

function modeOf(path: string): string {
  return (statSync(path).mode & 0o777).toString(8)
}

/** What opening the file throws. */
function failureOf(file: string): SyncError {
  try {
    openStateFile(file).close()
  } catch (error) {
    if (error instanceof SyncError) return error
    throw error
  }
  throw new Error(`${file} was opened`)
}

/** A state file with an event in it, closed. */
function closedState(): string {
  const { state, file } = openTemporaryState()
  state.spoolRows.insert(event, FROM)
  state.close()
  return file
}

/** Root ignores modes: whoever is root works as nobody for a while. */
function withoutPrivileges<T>(work: () => T): T {
  const { getuid, setegid, seteuid } = process
  if (getuid?.() !== 0 || setegid === undefined || seteuid === undefined) return work()
  setegid(NOBODY)
  seteuid(NOBODY)
  try {
    return work()
  } finally {
    seteuid(0)
    setegid(0)
  }
}

describe('openStateFile', () => {
  it('makes the file 0600 in a directory 0700, and so whatever SQLite lays beside it', () => {
    const umask = process.umask(0)
    onTestFinished(() => void process.umask(umask))
    const { state, file } = openTemporaryState()
    state.spoolRows.insert(event, FROM)
    expect(modeOf(dirname(file))).toBe('700')
    const modes = readdirSync(dirname(file)).map((name) => [name, modeOf(join(dirname(file), name))])
    expect(Object.fromEntries(modes)).toEqual({ 'state.db': '600', 'state.db-wal': '600', 'state.db-shm': '600' })
  })

  it('makes every directory on the way private', () => {
    const base = temporaryDirectory()
    openTemporaryState({ file: join(base, 'one', 'two', 'state.db') })
    expect([join(base, 'one'), join(base, 'one', 'two')].map(modeOf)).toEqual(['700', '700'])
  })

  it('leaves the mode of a directory that was there', () => {
    const directory = join(temporaryDirectory(), 'mine')
    mkdirSync(directory, { mode: 0o755 })
    openTemporaryState({ file: join(directory, 'state.db') })
    expect(modeOf(directory)).toBe('755')
  })

  it('finds what an earlier run wrote', () => {
    const file = closedState()
    expect(openTemporaryState({ file }).state.spool.find(event.id)?.event).toEqual(event)
  })

  it('writes so that the death of the process keeps what was committed, and a durable transaction a power cut too', () => {
    const { db, state } = openTemporaryState()
    const synchronous = (): unknown => db.pragma('synchronous', { simple: true })
    expect(state.durableTransaction(synchronous)).toBe(2)
    expect([db.pragma('journal_mode', { simple: true }), synchronous()]).toEqual(['wal', 1])
  })

  it('keeps temporary tables on disk', () => {
    expect(openTemporaryState().db.pragma('temp_store', { simple: true })).toBe(1)
  })
})

/** The spool as version 4 had it. */
const SPOOL_4 = `
CREATE TABLE spool (
  target TEXT NOT NULL, id BLOB NOT NULL, layer TEXT NOT NULL, kind INTEGER NOT NULL, pubkey BLOB NOT NULL,
  address TEXT, created_at INTEGER NOT NULL, json TEXT NOT NULL, sources TEXT NOT NULL,
  state TEXT NOT NULL, stage INTEGER NOT NULL DEFAULT 0, level INTEGER NOT NULL DEFAULT 0,
  outcome TEXT, reason TEXT, orphan INTEGER NOT NULL DEFAULT 0, error_runs INTEGER NOT NULL DEFAULT 0,
  parked_at INTEGER, settled_at INTEGER, last_ok_at INTEGER, retry_at INTEGER, attempts INTEGER NOT NULL DEFAULT 0,
  late INTEGER NOT NULL DEFAULT 0, software TEXT, obstacle TEXT, repository TEXT
) STRICT;
CREATE UNIQUE INDEX spool_id ON spool (target, id);
CREATE INDEX spool_order ON spool (target, state, stage, level, created_at, id);
CREATE INDEX spool_address ON spool (target, address) WHERE address IS NOT NULL;
CREATE INDEX spool_profile ON spool (target, pubkey) WHERE kind IN (0, 10002);
`

/** Takes back what version 5 changed. */
function leaveVersion5(db: InstanceType<typeof Sqlite>): void {
  const columns = (db.prepare("SELECT name FROM pragma_table_info('spool')").all() as { name: string }[])
    .map(({ name }) => name)
    .filter((name) => name !== 'number')
  db.exec(`
    ALTER TABLE spool RENAME TO spool_5;
    DROP INDEX spool_id; DROP INDEX spool_order; DROP INDEX spool_address; DROP INDEX spool_profile;
    ${SPOOL_4}
    INSERT INTO spool (${columns.join()}, json) SELECT ${columns.join()}, json FROM spool_5 JOIN spool_text USING (number);
    DROP TABLE spool_5;
    DROP TABLE spool_text;
    PRAGMA user_version = 4;
  `)
}

/** Takes back what version 4 added. */
function leaveVersion4(db: InstanceType<typeof Sqlite>): void {
  leaveVersion5(db)
  db.exec('ALTER TABLE spool DROP COLUMN repository; ALTER TABLE run DROP COLUMN reason; DROP TABLE source')
}

describe('openStateFile', () => {
  it('brings a file of version 4 up to date with every row of its spool, the removed ones between them left out', () => {
    const { db: first, state, file } = openTemporaryState()
    const events = Array.from({ length: 5 }, (_, i) => ({ ...event, id: `${i}`.repeat(64), content: `text ${i}` }))
    for (const each of events) state.spoolRows.insert(each, FROM)
    state.spoolRows.makeReady('1'.repeat(64), 7, '30617:ab:mine')
    const wait = {
      state: 'parked',
      outcome: 'waiting',
      reason: 'later',
      isOrphan: true,
      obstacle: 'ab',
      retryAt: 9,
    } as const
    state.spoolRows.change('3'.repeat(64), { ...wait, lastOkAt: 8, wasSent: true, isError: true }, 10)
    state.spoolRows.change('4'.repeat(64), { state: 'refused', outcome: 'refused', reason: 'no', software: 'x' }, 11)
    state.spoolRows.remove('0'.repeat(64))
    state.spoolRows.remove('2'.repeat(64))
    const before = events.map(({ id }) => state.spool.find(id))
    leaveVersion5(first)
    first.close()
    const { db, state: after } = openTemporaryState({ file })
    expect(db.pragma('user_version', { simple: true })).toBe(SCHEMA_VERSION)
    expect(events.map(({ id }) => after.spool.find(id))).toEqual(before)
    expect(before.map((spooled) => spooled?.event.content)).toEqual([
      undefined,
      'text 1',
      undefined,
      'text 3',
      'text 4',
    ])
  })

  it('has the same tables and indexes in a new file as in one that was brought up to date', () => {
    const file = closedState()
    const old = new Sqlite(file)
    leaveVersion5(old)
    old.close()
    const shape = (db: InstanceType<typeof Sqlite>): unknown =>
      db.prepare('SELECT type, name, sql FROM sqlite_schema ORDER BY type, name').all()
    expect(shape(openTemporaryState({ file }).db)).toEqual(shape(openTemporaryState().db))
  })
})

describe('openStateFile', () => {
  it('brings a file of version 3 up to date, and finds the repositories and sources that it can', () => {
    const file = closedState()
    const old = new Sqlite(file)
    leaveVersion4(old)
    old.exec("INSERT INTO coverage VALUES ('ws://t', 'ws://s', 'announcements', 'all', 1, 5, 5, 1)")
    old.exec(`UPDATE spool SET kind = 1621, json = '{"tags":[["p","x"],["a","30617:ab:mine"]]}'`)
    old.pragma('user_version = 3')
    old.close()
    const db = openStateFile(file)
    expect(db.prepare('SELECT repository FROM spool').get()).toEqual({ repository: '30617:ab:mine' })
    expect(db.prepare('SELECT source, state, since FROM source').all()).toEqual([
      { source: 'ws://s', state: 'unknown', since: 5 },
    ])
    db.close()
  })

  it('brings a file of version 1 up to date, and keeps what is in it', () => {
    const file = closedState()
    const old = new Sqlite(file)
    leaveVersion4(old)
    old.exec('ALTER TABLE run DROP COLUMN accepted')
    old.exec('DROP TABLE also_in; DROP INDEX spool_profile; ALTER TABLE spool DROP COLUMN obstacle')
    old.exec("INSERT INTO coverage VALUES ('ws://t', 'ws://s', 'announcements', 'all', 1, 5, 5, 1)")
    old.pragma('user_version = 1')
    old.close()
    const db = openStateFile(file)
    expect(db.pragma('user_version', { simple: true })).toBe(SCHEMA_VERSION)
    expect(db.prepare('SELECT count(*) AS n FROM also_in').get()).toEqual({ n: 0 })
    expect(db.prepare('SELECT obstacle FROM spool').all()).toEqual([{ obstacle: null }])
    expect(db.prepare('SELECT drained_at FROM coverage').all()).toEqual([{ drained_at: 5 }])
    db.close()
  })

  it('knows of the runs in a file of version 2 at which targets something was accepted', () => {
    const file = closedState()
    const old = new Sqlite(file)
    leaveVersion4(old)
    old.exec('DELETE FROM run; ALTER TABLE run DROP COLUMN accepted')
    old.exec('DROP INDEX spool_profile; ALTER TABLE spool DROP COLUMN obstacle')
    const insert = old.prepare(
      "INSERT INTO run (target, command, started_at, exit, published, parked) VALUES (?, 'catchup', 1, ?, ?, ?)",
    )
    insert.run('ws://took-some', 3, 10, 2)
    insert.run('ws://shut', 1, 10, 2)
    insert.run('ws://took-none', 3, 10, 10)
    old.prepare("INSERT INTO run (target, command, started_at) VALUES ('ws://killed', 'catchup', 1)").run()
    old.pragma('user_version = 2')
    old.close()
    const db = openStateFile(file)
    expect(db.prepare('SELECT target FROM run WHERE accepted = 1').all()).toEqual([{ target: 'ws://took-some' }])
    db.close()
  })

  it('brings a file of version 2 up to date, and gives up its witnesses, which do not say what they are', () => {
    const file = closedState()
    const old = new Sqlite(file)
    leaveVersion4(old)
    old.exec('ALTER TABLE run DROP COLUMN accepted; DROP INDEX spool_profile')
    old.exec('ALTER TABLE spool DROP COLUMN obstacle; DROP TABLE witness')
    old.exec('CREATE TABLE witness (target TEXT, relay TEXT, id BLOB, pubkey BLOB, created_at INTEGER)')
    old.exec("INSERT INTO witness VALUES ('ws://t', 'ws://t', x'00', x'00', 1)")
    old.pragma('user_version = 2')
    old.close()
    const db = openStateFile(file)
    expect(db.prepare('SELECT count(published) AS n FROM witness').get()).toEqual({ n: 0 })
    db.close()
  })
})

describe('openStateFile', () => {
  const damages: readonly [string, (file: string) => void, RegExp][] = [
    [
      'a file that is no database',
      (file) => writeFileSync(file, 'not a database, but long enough\n'.repeat(200)),
      /not a database/,
    ],
    ['a database cut short', (file) => truncateSync(file, statSync(file).size - 4_096), /malformed|damaged/],
    [
      'a database with a page of rubbish',
      (file) => {
        const bytes = readFileSync(file)
        writeFileSync(file, bytes.fill(0x5a, 4_096, 3 * 4_096))
      },
      /malformed|damaged/,
    ],
  ]

  it.each(damages)('refuses and does not touch %s', (_, damage, reason) => {
    const file = closedState()
    damage(file)
    const before = readFileSync(file)
    const { message, hint } = failureOf(file)
    expect(message.startsWith(`read state ${file}: `)).toBe(true)
    expect(message).toMatch(reason)
    expect(hint).toMatch(new RegExp(`move ${file} away, or restore it`))
    expect(readFileSync(file).equals(before)).toBe(true)
  })

  it('refuses a file of a newer version', () => {
    const file = closedState()
    const db = new Sqlite(file)
    db.pragma('user_version = 9999')
    db.close()
    expect(failureOf(file)).toMatchObject({
      message: `read state ${file}: it was written by a newer version (schema 9999)`,
      hint: 'update ngit-sync, or name another file with --state',
    })
  })

  it.each([0, 1, 2_000])('refuses and does not touch a database of another program (user_version %i)', (version) => {
    const file = join(temporaryDirectory(), 'places.sqlite')
    const other = new Sqlite(file)
    other.exec('CREATE TABLE moz_places (id INTEGER)')
    other.pragma(`user_version = ${version}`)
    other.close()
    const before = readFileSync(file)
    expect(failureOf(file)).toMatchObject({
      message: `read state ${file}: it is a database of another program`,
      hint: 'name another file with --state',
    })
    expect(readFileSync(file).equals(before)).toBe(true)
  })

  it('refuses a directory in its place', () => {
    const directory = temporaryDirectory()
    expect(failureOf(directory).message).toMatch(/^read state .*: /)
  })

  it('refuses a place below a file', () => {
    const file = join(closedState(), 'state.db')
    expect(failureOf(file).message).toMatch(/^read state .*: .*(ENOTDIR|EEXIST|unable to open)/)
  })

  it('refuses a directory that cannot be written', () => {
    const directory = temporaryDirectory()
    chmodSync(directory, 0o555)
    const failure = withoutPrivileges(() => failureOf(join(directory, 'state.db')))
    expect(failure.hint).toBe('the directory of the state file must be writable: name another with --state')
    expect(readdirSync(directory)).toEqual([])
  })

  it('refuses a file that cannot be written', () => {
    const file = closedState()
    chmodSync(file, 0o444)
    chmodSync(dirname(file), 0o555)
    chmodSync(dirname(dirname(file)), 0o755)
    const failure = withoutPrivileges(() => failureOf(file))
    expect(failure.hint).toBe('the directory of the state file must be writable: name another with --state')
  })
})

describe('two connections to one file', () => {
  it('see what the other committed', () => {
    const first = openTemporaryState()
    const second = openTemporaryState({ file: first.file })
    first.state.checkpoints.save('ws://source', 'threads', 'x', { drainedAt: 1, fullAt: 1, hadEvents: true })
    expect(second.state.checkpoints.load('ws://source', 'threads', 'x')?.drainedAt).toBe(1)
  })

  it('do not see what the other has not committed', () => {
    const first = openTemporaryState()
    const second = openTemporaryState({ file: first.file })
    first.state.transaction(() => {
      first.state.spoolRows.insert(event, FROM)
      expect(second.state.spool.find(event.id)).toBeUndefined()
    })
    expect(second.state.spool.find(event.id)).toBeDefined()
  })

  it('have run tables of their own', () => {
    const first = openTemporaryState()
    const second = openTemporaryState({ file: first.file })
    first.state.run.markSeen(event, 'threads')
    expect([first.state.run.isSeen(event.id), second.state.run.isSeen(event.id)]).toEqual([true, false])
  })

  it('keep what two targets know apart', () => {
    const first = openTemporaryState({ target: 'ws://one' })
    const second = openTemporaryState({ file: first.file, target: 'ws://two' })
    first.state.spoolRows.insert(event, FROM)
    first.state.checkpoints.save('ws://source', 'threads', 'x', { drainedAt: 1, fullAt: 1, hadEvents: true })
    expect(second.state.spool.find(event.id)).toBeUndefined()
    expect(second.state.checkpoints.load('ws://source', 'threads', 'x')).toBeUndefined()
  })
})

describe('a transaction', () => {
  it('leaves nothing behind when it throws', () => {
    const { state } = openTemporaryState()
    const failing = (): void =>
      state.transaction(() => {
        state.spoolRows.insert(event, FROM)
        throw new Error('on the way')
      })
    expect(failing).toThrow('on the way')
    expect(state.spool.find(event.id)).toBeUndefined()
  })
})

describe('openScratchCopy', () => {
  it('knows what the file knows and writes nothing back', () => {
    const file = closedState()
    const before = readFileSync(file)
    const copy = openScratchCopy(file, temporaryDirectory())
    expect(copy.prepare('SELECT count(*) AS n FROM spool').get()).toEqual({ n: 1 })
    copy.exec('DELETE FROM spool')
    copy.close()
    expect(readFileSync(file).equals(before)).toBe(true)
  })

  it('is empty without a file, and makes none', () => {
    const file = join(temporaryDirectory(), 'state.db')
    const copy = openScratchCopy(file, temporaryDirectory())
    expect(copy.prepare('SELECT count(*) AS n FROM spool').get()).toEqual({ n: 0 })
    copy.close()
    expect(existsSync(file)).toBe(false)
  })

  it('leaves no trace in its directory, even while it is open', () => {
    const directory = temporaryDirectory()
    const copy = openScratchCopy(undefined, directory)
    copy.exec(`INSERT INTO run (target, command, started_at) VALUES ('x', 'catchup', 1)`)
    expect(readdirSync(directory)).toEqual([])
    copy.close()
  })
})
