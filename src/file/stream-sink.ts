import { reasonOf } from '../errors.ts'
import type { LineSink } from './line-sink.ts'

/** Writes to a stream that others own, at the pace of its reader. The stream is not closed. */
export function createStreamSink(stream: NodeJS.WritableStream, signal: AbortSignal): LineSink {
  let failure: Error | undefined
  // It stays for good: a closed pipe may be reported after the last write, and without a listener would end the
  // process.
  stream.on('error', (error: Error) => {
    failure ??= error
  })
  return {
    write: async (lines) => {
      if (failure !== undefined) throw failure
      await writeToStream(stream, lines, signal)
    },
    flush: async () => {},
    close: async () => {},
  }
}

/** Resolves when the stream has passed the bytes on; an abort does not wait for a reader that stands still. */
function writeToStream(stream: NodeJS.WritableStream, bytes: Buffer, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(new Error(reasonOf(signal.reason), { cause: signal.reason }))
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    stream.write(bytes, (error) => {
      signal.removeEventListener('abort', onAbort)
      if (error) reject(error)
      else resolve()
    })
  })
}
