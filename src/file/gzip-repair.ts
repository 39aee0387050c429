import { randomUUID } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { realpath, rename, rm, stat } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { constants, createGunzip, createGzip } from 'node:zlib'

/**
 * Makes a gzip file whole that is cut off at its end, as a crash may leave it: a member behind torn bytes could not be
 * read. Everything that can be decompressed is kept, and the file is replaced in one step.
 */
export async function repairTruncatedGzip(path: string): Promise<void> {
  // A symbolic link stays one.
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
