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

/** What a file of events needs besides its name. */
export type EventOutputOptions = {
  /** What `-` writes to. */
  readonly stdout: NodeJS.WritableStream
  readonly signal: AbortSignal
}

/** Where the lines lie until they are complete; a stream has no such place. */
type Part = { readonly directory: string; readonly file: string }

/** A JSONL file that is written anew: what stood under its name stays until all of it is written. */
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

  /** Takes one event; waits for the disk or the reader when enough are waiting. Throws SyncError. */
  async write(event: NostrEvent): Promise<void> {
    const line = `${formatEventLine(event)}\n`
    this.#lines.push(line)
    this.#length += line.length
    if (this.#length >= BATCH_LENGTH) await this.#orFail(() => this.#writeLines())
  }

  /** Writes what is left; then the file stands under its name, on the disk. Throws SyncError. */
  async finish(): Promise<void> {
    await this.#orFail(async () => {
      // Without an event too: an empty file is no gzip file.
      await this.#writeLines()
      await this.#sink.flush()
      await this.#sink.close()
      if (this.#part !== undefined) await rename(this.#part.file, this.#path)
    })
  }

  /** Removes what was written and not finished. */
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
 * Opens a JSONL file for the events of this run, compressed when its name ends in `.gz`; `-` is standard output.
 * Throws SyncError when it cannot be written, before anything else has happened.
 */
export async function openEventOutput(path: string, { stdout, signal }: EventOutputOptions): Promise<EventOutput> {
  if (path === '-') return new EventOutput(path, createStreamSink(stdout, signal), { signal })
  const place = (await targetFileExists(path)) ? await realpath(path) : path
  const part = await createPart(place)
  return new EventOutput(place, new FileSink(part.file, { endsInNewline: true, damage: undefined }), { part, signal })
}

/** In its own directory beside the place, so that the file only has to be renamed, and keeps its `.gz`. */
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
