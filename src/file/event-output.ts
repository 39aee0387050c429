import { mkdtemp, realpath, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { SyncError } from '../errors.ts'
import type { NostrEvent } from '../nostr/event.ts'
import { formatEventLine } from './event-line.ts'
import { fileReasonOf } from './file-error.ts'
import { FileSink } from './file-sink.ts'
import type { LineSink } from './line-sink.ts'
import { createStreamSink } from './stream-sink.ts'
import { targetFileExists } from './target-file.ts'

const BATCH_LENGTH = 256 * 1024

/** The inputs of an output file besides its name. */
export type EventOutputOptions = {
  /** Used for `-`. */
  readonly stdout: NodeJS.WritableStream
  readonly signal: AbortSignal
}

/** Where lines are stored until the file is complete; a stream has none. */
type Part = { readonly directory: string; readonly file: string }

/** A JSONL file written from scratch. An existing file of that name stays until the new one is complete. */
export class EventOutput {
  readonly #path: string
  readonly #part: Part | undefined
  readonly #sink: LineSink
  readonly #signal: AbortSignal
  #lines: string[] = []
  #length = 0

  constructor(path: string, sink: LineSink, { part, signal }: { part?: Part; signal: AbortSignal }) {
    this.#path = path
    this.#part = part
    this.#sink = sink
    this.#signal = signal
  }

  /** Takes one event; waits for the disk or the reader when enough lines are buffered. Throws SyncError. */
  async write(event: NostrEvent): Promise<void> {
    await this.writeLine(formatEventLine(event))
  }

  /** Takes one line without its end. Throws SyncError. */
  async writeLine(text: string): Promise<void> {
    const line = `${text}\n`
    this.#lines.push(line)
    this.#length += line.length
    if (this.#length >= BATCH_LENGTH) await this.#orFail(() => this.#writeLines())
  }

  /** Writes the rest, and then puts the file in place, on disk. Throws SyncError. */
  async finish(): Promise<void> {
    await this.#orFail(async () => {
      // Writes even without events, because an empty file is not a gzip file.
      await this.#writeLines()
      await this.#sink.flush()
      await this.#sink.close()
      if (this.#part !== undefined) await rename(this.#part.file, this.#path)
    })
  }

  /** Removes the unfinished file. */
  async discard(): Promise<void> {
    await this.#sink.close()
    if (this.#part !== undefined) await rm(this.#part.directory, { recursive: true, force: true })
  }

  async #writeLines(): Promise<void> {
    const bytes = Buffer.from(this.#lines.join(''))
    this.#lines = []
    this.#length = 0
    await this.#sink.write(bytes)
  }

  async #orFail(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.#signal.throwIfAborted()
      throw writeErrorOf(this.#path, error)
    }
  }
}

/**
 * Opens a JSONL file for the events of this run, compressed when its name ends in `.gz`; `-` is standard output. Throws
 * SyncError when it cannot be written, before anything else happens.
 */
export async function openEventOutput(path: string, { stdout, signal }: EventOutputOptions): Promise<EventOutput> {
  if (path === '-') return new EventOutput(path, createStreamSink(stdout, signal), { signal })
  const place = (await targetFileExists(path)) ? await realpath(path) : path
  const part = await createPart(place)
  return new EventOutput(place, new FileSink(part.file, { endsInNewline: true, damage: undefined }), { part, signal })
}

/** In a separate directory next to the target, so that finishing is only a rename, and the file keeps its `.gz`. */
async function createPart(place: string): Promise<Part> {
  try {
    const directory = await mkdtemp(join(dirname(place), '.ngit-sync-'))
    const file = join(directory, basename(place))
    await writeFile(file, '')
    return { directory, file }
  } catch (error) {
    throw writeErrorOf(place, error)
  }
}

function writeErrorOf(path: string, error: unknown): SyncError {
  const name = path === '-' ? 'standard output' : path
  return new SyncError(`write events to ${name}: ${fileReasonOf(error)}`, {
    cause: error,
    hint: 'name a JSONL file in a directory where this user may write, on a disk with room for it',
  })
}
