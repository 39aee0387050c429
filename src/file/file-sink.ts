import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { SyncError } from '../errors.ts'
import { openAppendFile, type AppendFile } from './append-file.ts'
import { repairTruncatedGzip } from './gzip-repair.ts'
import type { LineSink } from './line-sink.ts'
import { isGzipPath, type FileEnding } from './load-events.ts'

const compress = promisify(gzip)
const NEWLINE = Buffer.from('\n')

/**
 * Appends to a JSONL file. Each write to a gzip file is its own member, so a crash leaves all earlier members whole.
 */
export class FileSink implements LineSink {
  readonly #path: string
  readonly #ending: FileEnding
  #needsNewline: boolean
  #file: AppendFile | undefined

  /** Touches nothing before the first write, so reading a target never creates or changes it. */
  constructor(path: string, ending: FileEnding) {
    this.#path = path
    this.#ending = ending
    this.#needsNewline = !ending.endsInNewline
  }

  async write(lines: Buffer): Promise<void> {
    this.#file ??= await this.#open()
    // Otherwise our first line would join a torn last line.
    const bytes = this.#needsNewline ? Buffer.concat([NEWLINE, lines]) : lines
    await this.#file.append(isGzipPath(this.#path) ? await compress(bytes) : bytes)
    this.#needsNewline = false
  }

  async flush(): Promise<void> {
    await this.#file?.sync()
  }

  async close(): Promise<void> {
    await this.#file?.close()
    this.#file = undefined
  }

  async #open(): Promise<AppendFile> {
    const { damage } = this.#ending
    if (damage?.type === 'damaged') throw new SyncError(`${this.#path} is damaged: ${damage.reason}`)
    if (damage?.type === 'truncated') await repairTruncatedGzip(this.#path)
    return openAppendFile(this.#path)
  }
}
