import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { errorCodeOf } from './file-error.ts'

const READ_BYTES = 256 * 1024

/** A defect of gzip data: cut off at its end (as by a crash), or damaged, with the rest unreadable. */
export type GzipDamage = { readonly type: 'truncated' | 'damaged'; readonly reason: string }

/** Receives the bytes in order; throwing ends the read. */
export type OnBytes = (chunk: Buffer) => void

/** Reads a stream to its end. */
export async function readStream(stream: NodeJS.ReadableStream, onBytes: OnBytes, signal: AbortSignal): Promise<void> {
  await pipeline(stream, createConsumer(onBytes), { signal })
}

/** Reads a file to its end. Throws the errors of the file system. */
export async function readPlainFile(path: string, onBytes: OnBytes, signal: AbortSignal): Promise<void> {
  await readStream(createReadStream(path, { highWaterMark: READ_BYTES }), onBytes, signal)
}

/**
 * Reads a gzip file of any number of members as far as possible. Returns the damage, or `undefined` when all was read.
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
  // After a member, Node stops without an error at a zero byte and drops the rest.
  const isAllRead = gunzip.bytesWritten === file.bytesRead
  return isAllRead ? undefined : { type: 'damaged', reason: 'gzip data is followed by something else' }
}

/** A target that was created but never written is empty; gzip would call it cut off. */
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

/** Finishes each chunk before it returns, so an error after a chunk never loses the chunk. */
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
