import { randomUUID } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { realpath, rename, rm, stat } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { constants, createGunzip, createGzip } from 'node:zlib'

/**
 * Repairs a gzip file that is cut off at its end, for example by a crash, because a member after torn bytes could not
 * be read. Keeps everything that can be decompressed, and replaces the file in one step.
 */
export async function repairTruncatedGzip(path: string): Promise<void> {
  // Keeps a symbolic link.
  const file = await realpath(path)
  const copy = `${file}.${randomUUID()}.tmp`
  const { mode } = await stat(file)
  try {
    await pipeline(
      createReadStream(file),
      createGunzip({ finishFlush: constants.Z_SYNC_FLUSH }),
      createGzip(),
      createWriteStream(copy, { flags: 'wx', mode: mode & 0o777, flush: true }),
    )
    await rename(copy, file)
  } finally {
    await rm(copy, { force: true })
  }
}
