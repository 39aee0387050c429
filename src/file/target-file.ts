import { stat } from 'node:fs/promises'
import type { Stats } from 'node:fs'
import { dirname } from 'node:path'
import { SyncError } from '../errors.ts'
import { errorCodeOf, fileReasonOf } from './file-error.ts'

/** Whether the target file exists. Throws SyncError when it can neither be appended to nor created. */
export async function targetFileExists(path: string): Promise<boolean> {
  const file = await statOrUndefined(path)
  if (file === undefined) {
    await requireDirectory(path)
    return false
  }
  if (file.isFile()) return true
  throw new SyncError(`write events to ${path}: it is not a regular file`, {
    hint: 'name a JSONL file, or - for standard output',
  })
}

async function requireDirectory(path: string): Promise<void> {
  const directory = dirname(path)
  const found = await statOrUndefined(directory)
  if (found?.isDirectory()) return
  const reason = found === undefined ? 'no such directory' : 'it is not a directory'
  throw new SyncError(`write events to ${path}: ${directory}: ${reason}`, { hint: `create ${directory} first` })
}

async function statOrUndefined(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path)
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return undefined
    throw new SyncError(`write events to ${path}: ${fileReasonOf(error)}`, {
      cause: error,
      hint: 'name a JSONL file in a directory where this user may write',
    })
  }
}
