import { open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { SyncError } from '../errors.ts'
import { errorCodeOf, fileReasonOf } from './file-error.ts'

/** The part of a file handle needed for appending. */
export type AppendHandle = {
  write(bytes: Buffer, offset: number, length: number): Promise<{ readonly bytesWritten: number }>
  stat(): Promise<{ readonly size: number }>
  truncate(size: number): Promise<void>
  sync(): Promise<void>
  close(): Promise<void>
}

/** A file that grows only by whole writes; a failed write is undone. */
export class AppendFile {
  readonly #path: string
  readonly #handle: AppendHandle
  #torn: SyncError | undefined

  constructor(path: string, handle: AppendHandle) {
    this.#path = path
    this.#handle = handle
  }

  /** Appends all bytes, or throws. */
  async append(bytes: Buffer): Promise<void> {
    if (this.#torn !== undefined) throw this.#torn
    const { size } = await this.#handle.stat()
    try {
      await writeAll(this.#handle, bytes)
    } catch (error) {
      await this.#takeBack(size)
      throw error
    }
  }

  /** Resolves when the appended bytes are on disk; throws SyncError when that is uncertain. */
  async sync(): Promise<void> {
    try {
      await this.#handle.sync()
      await syncDirectory(dirname(this.#path))
    } catch (error) {
      const hint = 'what was written in this run may be missing after a power cut: run again'
      throw new SyncError(`flush ${this.#path}: ${fileReasonOf(error)}`, { cause: error, hint })
    }
  }

  async close(): Promise<void> {
    await this.#handle.close()
  }

  /** After a partial write that cannot be undone, any further write would follow torn bytes. */
  async #takeBack(size: number): Promise<void> {
    try {
      await this.#handle.truncate(size)
    } catch (error) {
      this.#torn = new SyncError(`the last write to ${this.#path} failed half way and could not be taken back`, {
        cause: error,
      })
    }
  }
}

/** Opens the file for appending. Creates it (0666 minus the umask) when missing; its directory must exist. */
export async function openAppendFile(path: string): Promise<AppendFile> {
  return new AppendFile(path, await open(path, 'a'))
}

async function writeAll(handle: AppendHandle, bytes: Buffer): Promise<void> {
  for (let offset = 0; offset < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, offset, bytes.length - offset)
    offset += bytesWritten
  }
}

/** A new file survives a power cut only if its directory is on disk too. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r').catch(ignoreUnopenable)
  if (handle === undefined) return
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Windows cannot open directories, and a directory may be writable but not readable; then there is nothing to sync. */
function ignoreUnopenable(error: unknown): undefined {
  if (['EISDIR', 'EPERM', 'EACCES'].includes(errorCodeOf(error))) return undefined
  throw error
}
