import { reasonOf } from '../errors.ts'
import type { LineSink } from './line-sink.ts'

/** Returns a sink for a stream owned by others, at the pace of its reader. Does not close the stream. */
export function createStreamSink(stream: NodeJS.WritableStream, signal: AbortSignal): LineSink {
  let failure: Error | undefined
  // This listener stays for good: a closed pipe may be reported after the last write, and would otherwise end the
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

/** Resolves when the stream has passed the bytes on. An abort does not wait for a stalled reader. */
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
