import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { UsageError } from '../../errors.ts'
import { systemReason } from '../system-reason.ts'

const MAX_BYTES = 256 * 1024
const WRITABLE_BY_ALL = 0o002

/**
 * Returns the text of a configuration file; warns when every user of the machine may change it. It may be a pipe. Throws
 * UsageError when it cannot be read, is no UTF-8, or has more than 256 KiB.
 */
export function readConfigFile(file: string, warn: (line: string) => void): string {
  try {
    const descriptor = openSync(file, 'r')
    try {
      const stat = fstatSync(descriptor)
      if (stat.isFile() && (stat.mode & WRITABLE_BY_ALL) !== 0) {
        warn(`warning: every user may change the configuration file ${file}: chmod o-w it`)
      }
      return new TextDecoder('utf-8', { fatal: true }).decode(readBounded(descriptor))
    } finally {
      closeSync(descriptor)
    }
  } catch (error) {
    throw new UsageError([`the configuration file ${file} cannot be read: ${reasonFor(error)}`])
  }
}

function readBounded(descriptor: number): Uint8Array {
  const bytes = new Uint8Array(MAX_BYTES + 1)
  let length = 0
  for (;;) {
    const count = readSync(descriptor, bytes, length, bytes.length - length, null)
    length += count
    if (length > MAX_BYTES) throw new TooLargeError()
    if (count === 0) return bytes.subarray(0, length)
  }
}

class TooLargeError extends Error {}

function reasonFor(error: unknown): string {
  if (error instanceof TooLargeError) return 'it is larger than 256 KiB'
  return error instanceof TypeError ? 'it is not UTF-8 text' : systemReason(error)
}
