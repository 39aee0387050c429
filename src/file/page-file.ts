import { mkdtemp, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { SyncError } from '../errors.ts'
import { errorCodeOf, fileReasonOf } from './file-error.ts'

/** A file that is written whole or not at all; an existing one stays until then. */
export type PageFile = {
  /** Puts the text in place, on disk. Throws SyncError. */
  finish(text: string): Promise<void>
  /** Removes what is unfinished. */
  discard(): Promise<void>
}

/** Prepares a page. Throws SyncError when it cannot be written, before anything else happens. */
export async function openPageFile(path: string): Promise<PageFile> {
  return orFail(path, async () => {
    const place = await placeOf(path)
    const directory = await mkdtemp(join(dirname(place), '.ngit-sync-'))
    return {
      finish: (text) => orFail(path, () => putInPlace(join(directory, basename(place)), place, text)),
      discard: () => rm(directory, { recursive: true, force: true }),
    }
  })
}

/** Follows links, so that the file behind one is replaced and not the link. */
async function placeOf(path: string): Promise<string> {
  try {
    const place = await realpath(path)
    if ((await stat(place)).isFile()) return place
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return path
    throw error
  }
  throw new SyncError(`write report to ${path}: it is not a regular file`, { hint: 'name another file' })
}

async function putInPlace(part: string, place: string, text: string): Promise<void> {
  const file = await open(part, 'w')
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(part, place)
}

async function orFail<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof SyncError) throw error
    const reason = errorCodeOf(error) === 'ENOENT' ? 'no such directory' : fileReasonOf(error)
    throw new SyncError(`write report to ${path}: ${reason}`, {
      cause: error,
      hint: 'name a file in a directory where this user may write, on a disk with room for it',
    })
  }
}
