import { createRequire } from 'node:module'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import process from 'node:process'
import type { Database, DatabaseConstructor, DatabaseOptions, Statement, Transaction } from './database.ts'

/** The parts of `node:sqlite` (Node 22.16) that we use. */
type NodeStatement = {
  get(...parameters: readonly unknown[]): unknown
  all(...parameters: readonly unknown[]): unknown[]
  iterate(...parameters: readonly unknown[]): IterableIterator<unknown>
  run(...parameters: readonly unknown[]): { readonly changes: number; readonly lastInsertRowid: number | bigint }
  setAllowUnknownNamedParameters(isAllowed: boolean): void
  setReturnArrays(isWanted: boolean): void
}

type NodeDatabase = {
  readonly isOpen: boolean
  readonly isTransaction: boolean
  prepare(sql: string): NodeStatement
  exec(sql: string): void
  close(): void
}

type NodeSqlite = { readonly DatabaseSync: new (file: string, options: { readOnly: boolean }) => NodeDatabase }

/** Names of SQLite's result codes by number, from its documentation; those of extended codes start with them. */
const CODES: Readonly<Record<number, string>> = {
  1: 'ERROR',
  2: 'INTERNAL',
  3: 'PERM',
  4: 'ABORT',
  5: 'BUSY',
  6: 'LOCKED',
  7: 'NOMEM',
  8: 'READONLY',
  9: 'INTERRUPT',
  10: 'IOERR',
  11: 'CORRUPT',
  12: 'NOTFOUND',
  13: 'FULL',
  14: 'CANTOPEN',
  15: 'PROTOCOL',
  17: 'SCHEMA',
  18: 'TOOBIG',
  19: 'CONSTRAINT',
  20: 'MISMATCH',
  21: 'MISUSE',
  23: 'AUTH',
  25: 'RANGE',
  26: 'NOTADB',
}

/** Returns databases on the SQLite inside Node. Throws when this Node has none (before 22.16). */
export function loadNodeDatabase(): DatabaseConstructor {
  const { DatabaseSync } = withoutItsWarning(() => createRequire(import.meta.url)('node:sqlite') as NodeSqlite)
  return class extends OpenDatabase {
    constructor(file: string, options: DatabaseOptions = {}) {
      super(openFile(DatabaseSync, file, options))
    }
  }
}

/** Node 22 warns that SQLite is experimental, when it is loaded; other warnings pass. */
function withoutItsWarning<T>(load: () => T): T {
  const { emitWarning } = process
  process.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
    if (String(warning).startsWith('SQLite is an experimental feature')) return
    Reflect.apply(emitWarning, process, [warning, ...rest])
  }
  try {
    return load()
  } finally {
    process.emitWarning = emitWarning
  }
}

function openFile(
  DatabaseSync: NodeSqlite['DatabaseSync'],
  file: string,
  { readonly = false, fileMustExist = false, timeout = 5_000 }: DatabaseOptions,
): NodeDatabase {
  if (fileMustExist && !existsSync(file)) throw new SqliteError('unable to open database file', 'SQLITE_CANTOPEN')
  return named(() => {
    // An absolute path, because SQLite here takes `file:…` for a URI.
    const db = new DatabaseSync(file === ':memory:' ? file : resolve(file), { readOnly: readonly })
    db.exec(`PRAGMA busy_timeout = ${timeout}`)
    return db
  })
}

class OpenDatabase implements Database {
  readonly #db: NodeDatabase

  constructor(db: NodeDatabase) {
    this.#db = db
  }

  get open(): boolean {
    return this.#db.isOpen
  }

  get inTransaction(): boolean {
    return this.#db.isTransaction
  }

  prepare<Parameters extends readonly unknown[], Row>(sql: string): Statement<Parameters, Row> {
    const statement = named(() => this.#db.prepare(sql))
    statement.setAllowUnknownNamedParameters(true)
    return new PreparedStatement<Parameters, Row>(statement)
  }

  exec(sql: string): void {
    named(() => this.#db.exec(sql))
  }

  pragma(text: string): unknown {
    const row = this.prepare<[], Record<string, unknown>>(`PRAGMA ${text}`).get()
    return row === undefined ? undefined : Object.values(row)[0]
  }

  transaction<Parameters extends unknown[], Result>(
    work: (...parameters: Parameters) => Result,
  ): Transaction<Parameters, Result> {
    const start =
      (begin: string) =>
      (...parameters: Parameters): Result =>
        this.#runWhole(begin, () => work(...parameters))
    return Object.assign(start('BEGIN'), { immediate: start('BEGIN IMMEDIATE') })
  }

  close(): void {
    if (this.#db.isOpen) named(() => this.#db.close())
  }

  #runWhole<T>(begin: string, work: () => T): T {
    const isPart = this.#db.isTransaction
    this.exec(isPart ? 'SAVEPOINT part' : begin)
    try {
      const result = work()
      this.exec(isPart ? 'RELEASE part' : 'COMMIT')
      return result
    } catch (error) {
      // A full disk makes SQLite itself roll back the whole transaction.
      if (this.#db.isTransaction) this.exec(isPart ? 'ROLLBACK TO part; RELEASE part' : 'ROLLBACK')
      throw error
    }
  }
}

class PreparedStatement<Parameters extends readonly unknown[], Row> implements Statement<Parameters, Row> {
  readonly #statement: NodeStatement

  constructor(statement: NodeStatement) {
    this.#statement = statement
  }

  get(...parameters: Parameters): Row | undefined {
    const row = named(() => this.#statement.get(...parameters))
    return row === undefined ? undefined : withBuffers<Row>(row)
  }

  all(...parameters: Parameters): Row[] {
    return named(() => this.#statement.all(...parameters)).map((row) => withBuffers<Row>(row))
  }

  *iterate(...parameters: Parameters): IterableIterator<Row> {
    const rows = named(() => this.#statement.iterate(...parameters))
    try {
      for (let next = named(() => rows.next()); next.done !== true; next = named(() => rows.next())) {
        yield withBuffers<Row>(next.value)
      }
    } finally {
      rows.return?.()
    }
  }

  run(...parameters: Parameters): { readonly changes: number; readonly lastInsertRowid: number | bigint } {
    return named(() => this.#statement.run(...parameters))
  }

  raw<Values extends readonly unknown[]>(): Statement<Parameters, Values> {
    this.#statement.setReturnArrays(true)
    return new PreparedStatement<Parameters, Values>(this.#statement)
  }
}

/** Node gives blobs as Uint8Array, whose `toString('hex')` is silently wrong. The row is changed in place. */
function withBuffers<Row>(row: unknown): Row {
  const columns = row as Record<string, unknown>
  for (const name in columns) {
    const value = columns[name]
    if (value instanceof Uint8Array) columns[name] = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  }
  return columns as Row
}

class SqliteError extends Error {
  readonly code: string

  constructor(message: string, code: string, options: { cause?: unknown } = {}) {
    super(message, options)
    this.name = 'SqliteError'
    this.code = code
  }
}

/** Runs `work`; an error of SQLite gets the name of its code. */
function named<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    const { errcode } = error as { errcode?: unknown }
    if (!(error instanceof Error) || typeof errcode !== 'number') throw error
    throw new SqliteError(error.message, `SQLITE_${CODES[errcode & 0xff] ?? 'UNKNOWN'}`, { cause: error })
  }
}
