import { SyncError } from '../errors.ts'
import { fileReasonOf } from '../file/file-error.ts'

const CHUNK = 65_536

/**
 * Writes a text to standard output and resolves once it is out. Throws SyncError when it cannot be written (full disk,
 * closed pipe): a report that nobody got is a failure.
 */
export function writeOutput(stream: NodeJS.WritableStream, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const onWritten = (error: Error | null | undefined): void => (error ? reject(outputError(error)) : resolve())
    try {
      stream.write(text, onWritten)
    } catch (error) {
      // Writing to a file is synchronous, and may throw at once.
      reject(outputError(error))
    }
  })
}

/** The same with a text in pieces, which is never in memory as a whole: it waits for a slow reader. */
export async function writePieces(stream: NodeJS.WritableStream, pieces: Iterable<string>): Promise<void> {
  for (const chunk of inChunks(pieces)) await writeOutput(stream, chunk)
}

/** Joins pieces: a write of each line costs more than the line. */
function* inChunks(pieces: Iterable<string>): Generator<string> {
  let chunk = ''
  for (const piece of pieces) {
    chunk += piece
    if (chunk.length < CHUNK) continue
    yield chunk
    chunk = ''
  }
  if (chunk !== '') yield chunk
}

/** The failure to write to standard output, as the error that ends the program with exit 1. */
function outputError(cause: unknown): SyncError {
  return new SyncError(`write to standard output: ${fileReasonOf(cause)}`)
}
