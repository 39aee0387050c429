import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { isSqliteError, type Database, type DatabaseOptions } from '../src/database.ts'
import { Sqlite } from '../src/sqlite.ts'

// Whatever this Node opens databases with: `npm run test:install` runs these on Node 22 and 24 as well.
const directory = mkdtempSync(join(tmpdir(), 'database-'))
const opened: Database[] = []
let files = 0

afterEach(() => opened.splice(0).forEach((db) => db.close()))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

function newFile(): string {
  files += 1
  return join(directory, `${files}.db`)
}

function open(file = newFile(), options: DatabaseOptions = {}): Database {
  const db = new Sqlite(file, options)
  opened.push(db)
  return db
}

/** A database with one table, of numbers under blobs. */
function openTable(file?: string): Database {
  const db = open(file)
  db.exec('CREATE TABLE pair (id BLOB PRIMARY KEY, n INTEGER NOT NULL) STRICT, WITHOUT ROWID')
  return db
}

function numbersIn(db: Database): number[] {
  return db
    .prepare<[], { n: number }>('SELECT n FROM pair ORDER BY n')
    .all()
    .map(({ n }) => n)
}

function add(db: Database, n: number): void {
  db.prepare('INSERT INTO pair VALUES (?, ?)').run(Buffer.from([n]), n)
}

function codeOf(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    if (isSqliteError(error)) return error.code
    throw error
  }
  return ''
}

describe('a statement', () => {
  it('finds by a blob, and gives blobs as Buffers', () => {
    const db = openTable()
    const id = Buffer.from('00ff10'.repeat(10), 'hex')
    db.prepare('INSERT INTO pair VALUES (?, ?)').run(id, 1)
    const find = db.prepare<[Buffer], { id: Buffer }>('SELECT id FROM pair WHERE id = ?')
    const rows = [find.get(id), ...find.all(id), ...find.iterate(id)]
    expect(rows.map((row) => row?.id.toString('hex'))).toEqual(Array(3).fill('00ff10'.repeat(10)))
  })

  it('finds nothing as undefined', () => {
    expect(openTable().prepare('SELECT * FROM pair').get()).toBeUndefined()
  })

  it('keeps whole numbers up to 2^53 - 1, and says how many rows changed', () => {
    const db = openTable()
    const { changes } = db.prepare('INSERT INTO pair VALUES (?, ?)').run(Buffer.from([1]), Number.MAX_SAFE_INTEGER)
    expect([changes, numbersIn(db)]).toEqual([1, [Number.MAX_SAFE_INTEGER]])
  })

  it('takes an object with more names than it uses', () => {
    const add = openTable().prepare('INSERT INTO pair VALUES (@id, @n)')
    expect(add.run({ id: Buffer.from([1]), n: 1, unused: 'x' })).toMatchObject({ changes: 1 })
  })

  it('that was left in the middle of its rows can be used again, and holds up nobody', () => {
    const db = openTable()
    for (const n of [1, 2, 3]) add(db, n)
    const read = db.prepare<[], { n: number }>('SELECT n FROM pair')
    for (const { n } of read.iterate()) if (n === 1) break
    db.exec('DELETE FROM pair WHERE n = 1')
    expect([...read.iterate()].map(({ n }) => n)).toEqual([2, 3])
  })

  it('writes to temporary tables', () => {
    const db = open()
    db.pragma('temp_store = FILE')
    db.exec('CREATE TEMP TABLE seen (id BLOB PRIMARY KEY) STRICT, WITHOUT ROWID')
    const note = db.prepare('INSERT OR IGNORE INTO temp.seen VALUES (?)')
    expect([1, 1, 2].map((n) => note.run(Buffer.from([n])).changes)).toEqual([1, 0, 1])
  })
})

describe('a transaction', () => {
  it('is undone when it throws, and the error comes out', () => {
    const db = openTable()
    const work = db.transaction((n: number) => {
      add(db, n)
      throw new Error('stop')
    })
    expect(() => work.immediate(1)).toThrow('stop')
    expect([db.inTransaction, numbersIn(db)]).toEqual([false, []])
  })

  it('inside another is undone alone', () => {
    const db = openTable()
    const fail = db.transaction(() => {
      add(db, 2)
      throw new Error('stop')
    })
    db.transaction(() => {
      add(db, 1)
      expect(() => fail.immediate()).toThrow('stop')
      add(db, 3)
    })()
    expect(numbersIn(db)).toEqual([1, 3])
  })

  it('that is immediate keeps other writers out until it ends, and gives its result', () => {
    const file = newFile()
    const db = openTable(file)
    const other = open(file, { timeout: 0 })
    const result = db.transaction(() => codeOf(() => add(other, 1))).immediate()
    expect(result).toMatch(/^SQLITE_BUSY/)
    add(other, 1)
    expect(numbersIn(db)).toEqual([1])
  })

  it('that fills the disk is undone', () => {
    const db = openTable()
    db.pragma('max_page_count = 4')
    const fill = db.transaction(() => {
      db.prepare('INSERT INTO pair VALUES (?, 1)').run(Buffer.alloc(100_000))
    })
    expect(codeOf(() => fill.immediate())).toBe('SQLITE_FULL')
    expect([db.inTransaction, numbersIn(db)]).toEqual([false, []])
  })
})

describe('an error of SQLite has a name', () => {
  it.each([
    ['a key that is taken', 'SQLITE_CONSTRAINT', addTwice],
    [
      'a file that is no database',
      'SQLITE_NOTADB',
      () => open(foreignFile()).prepare('SELECT * FROM sqlite_schema').all(),
    ],
    ['a file that must exist', 'SQLITE_CANTOPEN', () => open(newFile(), { fileMustExist: true })],
    ['a file opened for reading', 'SQLITE_READONLY', () => add(open(filledFile(), { readonly: true }), 2)],
    ['a wrong statement', 'SQLITE_ERROR', () => open().exec('SELEC 1')],
  ])('of %s', (_, code, work) => {
    expect(codeOf(work).slice(0, code.length)).toBe(code)
  })

  function addTwice(): void {
    const db = openTable()
    for (const n of [1, 1]) add(db, n)
  }

  function foreignFile(): string {
    const file = newFile()
    writeFileSync(file, 'not a database, but long enough for its header to be read as one'.repeat(20))
    return file
  }

  function filledFile(): string {
    const file = newFile()
    add(openTable(file), 1)
    return file
  }
})

describe('a database', () => {
  it('reads and sets pragmas', () => {
    const db = open()
    db.pragma('user_version = 7')
    const values = ['user_version', 'journal_mode = WAL', 'quick_check(1)'].map((text) =>
      db.pragma(text, { simple: true }),
    )
    expect(values).toEqual([7, 'wal', 'ok'])
  })

  it('copies itself into a file', () => {
    const db = openTable()
    add(db, 5)
    const copy = newFile()
    db.prepare('VACUUM INTO ?').run(copy)
    expect(numbersIn(open(copy))).toEqual([5])
  })

  it('is closed twice without harm', () => {
    const file = newFile()
    const db = open(file)
    const states = [db.open]
    db.close()
    db.close()
    expect([...states, db.open, existsSync(file)]).toEqual([true, false, true])
  })
})
