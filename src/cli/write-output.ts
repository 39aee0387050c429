import { SyncError } from '../errors.ts'
import { fileReasonOf } from '../file/file-error.ts'

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

/** The failure to write to standard output, as the error that ends the program with exit 1. */
export function outputError(cause: unknown): SyncError {
  return new SyncError(`write to standard output: ${fileReasonOf(cause)}`)
}
