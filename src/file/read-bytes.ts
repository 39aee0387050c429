import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { errorCodeOf } from './file-error.ts'

const READ_BYTES = 256 * 1024

/** What is wrong with gzip data: cut off at its end (as by a crash), or damaged, with what follows unreadable. */
export type GzipDamage = { readonly type: 'truncated' | 'damaged'; readonly reason: string }

/** Receives the bytes in order; what it throws ends the reading. */
export type OnBytes = (chunk: Buffer) => void

/** Reads a stream to its end. */
export async function readStream(stream: NodeJS.ReadableStream, onBytes: OnBytes, signal: AbortSignal): Promise<void> {
  await pipeline(stream, createConsumer(onBytes), { signal })
}

/** Reads a file to its end. Throws what the file system says. */
export async function readPlainFile(path: string, onBytes: OnBytes, signal: AbortSignal): Promise<void> {
  await readStream(createReadStream(path, { highWaterMark: READ_BYTES }), onBytes, signal)
}

/**
 * Reads a gzip file of any number of members as far as it can be read; the damage, or `undefined` when all of it was.
 */
export async function readGzipFile(
  path: string,
  onBytes: OnBytes,
  signal: AbortSignal,
): Promise<GzipDamage | undefined> {
  if (await isEmptyFile(path)) return undefined
  const file = createReadStream(path, { highWaterMark: READ_BYTES })
  const gunzip = createGunzip()
  try {
    await pipeline([file, gunzip, createConsumer(onBytes)], { signal })
  } catch (error) {
    return gzipDamageOf(error)
  }
  // Node ends without an error at a zero byte after a member, and drops whatever follows.
  const isAllRead = gunzip.bytesWritten === file.bytesRead
  return isAllRead ? undefined : { type: 'damaged', reason: 'gzip data is followed by something else' }
}

/** A target that was created and never written is empty, which gzip itself calls cut off. */
async function isEmptyFile(path: string): Promise<boolean> {
  const stats = await stat(path)
  return stats.isFile() && stats.size === 0
}

function gzipDamageOf(error: unknown): GzipDamage {
  const code = errorCodeOf(error)
  if (code === 'Z_BUF_ERROR') return { type: 'truncated', reason: 'gzip data ends too early' }
  if (code.startsWith('Z_') && error instanceof Error) {
    return { type: 'damaged', reason: `gzip data cannot be read from here on: ${error.message}` }
  }
  throw error
}

/** It finishes each chunk before it returns, so that an error behind a chunk never costs the chunk. */
function createConsumer(onBytes: OnBytes): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      try {
        onBytes(chunk)
        done()
      } catch (error) {
        done(error instanceof Error ? error : new Error(String(error)))
      }
    },
  })
}
