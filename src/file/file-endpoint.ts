import { setImmediate } from 'node:timers/promises'
import { SyncError, reasonOf } from '../errors.ts'
import type { NostrEvent } from '../nostr/event.ts'
import type { Filter } from '../nostr/filter.ts'
import type { Answer, BrokenLines, FileEndpoint, Page, Profile } from '../relay/endpoint.ts'
import { BrokenLineTally } from './broken-lines.ts'
import { EventIndex, type EventBatch } from './event-index.ts'
import { formatEventLine } from './event-line.ts'
import { fileReasonOf } from './file-error.ts'
import { FileSink } from './file-sink.ts'
import type { LineSink } from './line-sink.ts'
import { LineWriter } from './line-writer.ts'
import { loadEvents, type FileEnding } from './load-events.ts'
import { createStreamSink } from './stream-sink.ts'
import { targetFileExists } from './target-file.ts'

/** The options of a file. */
export type FileEndpointOptions = {
  readonly role: 'source' | 'target'
  /** Holds the index while the endpoint is open: about twice the size of the file, uncompressed. */
  readonly temporaryDirectory: string
  /** The input of a source called `-`. */
  readonly stdin?: NodeJS.ReadableStream
  /** The output of a target called `-`. */
  readonly stdout?: NodeJS.WritableStream
  readonly signal: AbortSignal
}

/** A JSONL file of events as an endpoint of a run. `scan` yields batches of at most 500 rows, newest first. */
export type JsonlEndpoint = Omit<FileEndpoint, 'scan'> & {
  /** Yields all matches in batches; throws the signal's reason when aborted. */
  scan(filter: Filter): AsyncGenerator<EventBatch, void, undefined>
  /** Resolves when the published events are on disk; throws SyncError when that is uncertain. */
  flush(): Promise<void>
}

/**
 * Returns the endpoint for a file of events, one per line, gzip when the name ends in `.gz`; `-` is standard input for
 * a source and standard output for a target. Open it before use. Does not check signatures.
 */
export function createFileEndpoint(path: string, options: FileEndpointOptions): JsonlEndpoint {
  return new JsonlFile(path, options)
}

const WRITTEN: Answer = { type: 'ok', accepted: true, text: '' }
const DUPLICATE: Answer = { type: 'ok', accepted: true, text: 'duplicate: already in the file' }
const EMPTY: FileEnding = { endsInNewline: true, damage: undefined }

class JsonlFile implements JsonlEndpoint {
  readonly url: string
  readonly kind = 'file'
  readonly #options: FileEndpointOptions
  readonly #broken = new BrokenLineTally()
  readonly #inFlight = new Map<string, Promise<Answer>>()
  #index: EventIndex | undefined
  #writer: LineWriter | undefined

  constructor(path: string, options: FileEndpointOptions) {
    this.url = path
    this.#options = options
  }

  async open(): Promise<Profile> {
    const index = new EventIndex(this.#options.temporaryDirectory)
    try {
      const ending = await index.load(() => this.#readInto(index))
      if (this.#options.role === 'target') this.#writer = new LineWriter(this.#createSink(ending))
    } catch (error) {
      index.close()
      throw error
    }
    this.#index = index
    return { supportedNips: [], supportedGrasps: [] }
  }

  async request(filter: Filter): Promise<Page> {
    const { signal } = this.#options
    if (signal.aborted) return { rows: [], bytes: 0, end: { type: 'aborted', reason: reasonOf(signal.reason) } }
    return { ...this.#opened().find(filter), end: { type: 'eose' } }
  }

  async *scan(filter: Filter): AsyncGenerator<EventBatch, void, undefined> {
    this.#options.signal.throwIfAborted()
    for (const batch of this.#opened().scan(filter)) {
      yield batch
      // SQLite never waits, so signals and sockets get their turn here.
      await setImmediate()
      this.#options.signal.throwIfAborted()
    }
  }

  async publish(event: NostrEvent): Promise<Answer> {
    const index = this.#opened()
    if (this.#writer === undefined) return refusal('not open for writing')
    if (this.#options.signal.aborted) return unanswered(this.#options.signal)
    if (index.has(event)) return DUPLICATE
    const line = formatEventLine(event)
    const earlier = this.#inFlight.get(line)
    if (earlier !== undefined) return duplicateOf(await earlier)
    const answer = this.#write(this.#writer, event, line)
    this.#inFlight.set(line, answer)
    return answer
  }

  brokenLines(): BrokenLines {
    return this.#broken.summary()
  }

  async flush(): Promise<void> {
    await this.#writer?.flush()
  }

  async close(): Promise<void> {
    const [index, writer] = [this.#index, this.#writer]
    this.#writer = undefined
    try {
      await writer?.close()
      await Promise.all(this.#inFlight.values())
    } finally {
      this.#index = undefined
      index?.close()
    }
  }

  async #readInto(index: EventIndex): Promise<FileEnding> {
    const { role, stdin, signal } = this.#options
    if (role === 'target' && (this.url === '-' || !(await targetFileExists(this.url)))) return EMPTY
    if (this.url !== '-') return loadEvents({ path: this.url, signal }, index, this.#broken)
    if (stdin === undefined) throw new SyncError('read events from standard input: there is none')
    return loadEvents({ path: '-', stdin, signal }, index, this.#broken)
  }

  #createSink(ending: FileEnding): LineSink {
    const { stdout, signal } = this.#options
    if (this.url !== '-') return new FileSink(this.url, ending)
    if (stdout === undefined) throw new SyncError('write events to standard output: there is none')
    return createStreamSink(stdout, signal)
  }

  async #write(writer: LineWriter, event: NostrEvent, line: string): Promise<Answer> {
    try {
      await writer.append(line)
      this.#opened().add(event)
      return WRITTEN
    } catch (error) {
      return this.#options.signal.aborted ? unanswered(this.#options.signal) : refusal(fileReasonOf(error))
    } finally {
      this.#inFlight.delete(line)
    }
  }

  #opened(): EventIndex {
    if (this.#index === undefined) throw new Error(`${this.url} is used while it is not open`)
    return this.#index
  }
}

function refusal(reason: string): Answer {
  return { type: 'ok', accepted: false, text: `error: ${reason}` }
}

function unanswered(signal: AbortSignal): Answer {
  return { type: 'unanswered', reason: reasonOf(signal.reason) }
}

function duplicateOf(earlier: Answer): Answer {
  return earlier === WRITTEN ? DUPLICATE : earlier
}
