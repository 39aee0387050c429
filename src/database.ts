/** What is bound to a statement: text, numbers, Buffers and `null`. */
type Bound = readonly unknown[]

/** A prepared statement: parameters by position, or one object for `@name` (it may have more names than are used). */
export interface Statement<Parameters extends Bound = Bound, Row = unknown> {
  /** The first row. */
  get(...parameters: Parameters): Row | undefined
  all(...parameters: Parameters): Row[]
  /** Yields the rows while they are read. Write nothing before the end. */
  iterate(...parameters: Parameters): IterableIterator<Row>
  run(...parameters: Parameters): { readonly changes: number; readonly lastInsertRowid: number | bigint }
  /** Makes each row an array of its values, which costs much less than a property for each column. */
  raw<Values extends readonly unknown[]>(): Statement<Parameters, Values>
}

/** `work` in one transaction: all of it, or nothing if it throws. Inside another one, it is a part of that. */
export interface Transaction<Parameters extends Bound, Result> {
  (...parameters: Parameters): Result
  /** Takes the lock for writing at once, so that it cannot fail halfway because another process writes. */
  immediate(...parameters: Parameters): Result
}

/**
 * An open SQLite database: the part of better-sqlite3's interface that we use. What SQLite refuses is thrown as an
 * Error whose `code` starts with `SQLITE_` (`isSqliteError`). Integers beyond 2^53 are not supported.
 */
export interface Database {
  readonly open: boolean
  readonly inTransaction: boolean
  prepare<Parameters extends Bound = Bound, Row = unknown>(sql: string): Statement<Parameters, Row>
  /** Runs any number of statements, without rows. */
  exec(sql: string): unknown
  /** Sets a pragma, or reads it: `simple` gives the first column of its first row. */
  pragma(text: string, options?: { readonly simple: true }): unknown
  transaction<Parameters extends unknown[], Result>(
    work: (...parameters: Parameters) => Result,
  ): Transaction<Parameters, Result>
  /** Idempotent. */
  close(): unknown
}

/** How to open a database. */
export type DatabaseOptions = {
  /** @default false */
  readonly readonly?: boolean
  /** Do not create it. @default false */
  readonly fileMustExist?: boolean
  /** How long to wait for a lock, in ms. @default 5000 */
  readonly timeout?: number
}

/** Opens a database file, or one in memory (`:memory:`). */
export type DatabaseConstructor = new (file: string, options?: DatabaseOptions) => Database

/** Whether SQLite refused something; `code` is one of its names (`SQLITE_BUSY`, `SQLITE_IOERR_WRITE`). */
export function isSqliteError(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('SQLITE_')
}
