import { isSqliteError } from '../database.ts'
import { SyncError } from '../errors.ts'
import type { BrokenLineTally } from './broken-lines.ts'
import type { EventIndex } from './event-index.ts'
import { parseEventLine } from './event-line.ts'
import { adviseByLine, describePacked } from './file-shape.ts'
import { errorCodeOf, fileReasonOf } from './file-error.ts'
import { LineSplitter } from './line-splitter.ts'
import { readGzipFile, readPlainFile, readStream, type GzipDamage, type OnBytes } from './read-bytes.ts'

/** The longest line that is read. @default 16 MiB */
const MAX_LINE_BYTES = 16 * 1024 * 1024

/** The source of events: a file, or the stream behind `-`. */
type EventSource = {
  readonly path: string
  readonly stdin?: NodeJS.ReadableStream
  readonly signal: AbortSignal
}

/** How the bytes of a file end; an appender must know it. */
export type FileEnding = { readonly endsInNewline: boolean; readonly damage: GzipDamage | undefined }

/**
 * Reads every line into the index, and counts unusable lines in `broken`. Throws SyncError when the file cannot be
 * read.
 */
export async function loadEvents(source: EventSource, index: EventIndex, broken: BrokenLineTally): Promise<FileEnding> {
  const lines = new LineSplitter(MAX_LINE_BYTES, (bytes, lineNumber) => {
    const parsed = bytes === undefined ? OVERLONG : parseEventLine(bytes)
    if (parsed.type === 'event') index.add(parsed.event)
    if (parsed.type !== 'broken') return
    broken.add(lineNumber, parsed.reason, () => (bytes === undefined ? undefined : adviseByLine(source.path, bytes)))
  })
  let isBegun = false
  const damage = await readAll(source, (chunk) => {
    if (!isBegun) refusePacked(source.path, chunk)
    isBegun = true
    lines.push(chunk)
  })
  lines.end()
  if (damage !== undefined) broken.add(lines.count + 1, damage.reason)
  return { endsInNewline: lines.endsInNewline, damage }
}

const OVERLONG = { type: 'broken', reason: `longer than ${MAX_LINE_BYTES / 1024 / 1024} MiB` } as const

/** Whether the file name says that it is compressed. */
export function isGzipPath(path: string): boolean {
  return path.endsWith('.gz')
}

/** One clear error says more than thousands of broken lines. */
function refusePacked(path: string, first: Buffer): void {
  const packed = describePacked(path, first)
  if (packed !== undefined) throw new SyncError(`read events from ${nameOf(path)}: ${packed}`)
}

function nameOf(path: string): string {
  return path === '-' ? 'standard input' : path
}

async function readAll(source: EventSource, onBytes: OnBytes): Promise<GzipDamage | undefined> {
  const { path, stdin, signal } = source
  try {
    if (stdin !== undefined) return await readWhole(readStream(stdin, onBytes, signal))
    if (isGzipPath(path)) return await readGzipFile(path, onBytes, signal)
    return await readWhole(readPlainFile(path, onBytes, signal))
  } catch (error) {
    signal.throwIfAborted()
    throw isSqliteError(error) || error instanceof SyncError ? error : readErrorOf(path, error)
  }
}

async function readWhole(reading: Promise<void>): Promise<undefined> {
  await reading
  return undefined
}

function readErrorOf(path: string, error: unknown): SyncError {
  return new SyncError(`read events from ${nameOf(path)}: ${fileReasonOf(error)}`, {
    cause: error,
    hint: hintFor(error),
  })
}

function hintFor(error: unknown): string {
  const code = errorCodeOf(error)
  if (code === 'EISDIR') return 'name a file in it: JSONL, one event a line'
  if (code === 'EACCES') return 'this user must be allowed to read the file and to enter its directories'
  return 'check the name: a source is a JSONL file, - for standard input, or a relay URL (ws:// or wss://)'
}
