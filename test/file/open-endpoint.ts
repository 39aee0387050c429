import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { createFileEndpoint, type JsonlEndpoint, type FileEndpointOptions } from '../../src/file/file-endpoint.ts'
import { temporaryDirectory } from '../support/temporary-state.ts'

/** An endpoint that is closed after the test, with its index in `temporary/` beside the file. */
export function makeEndpoint(path: string, options: Partial<FileEndpointOptions> = {}): JsonlEndpoint {
  const temporary = join(temporaryDirectory(), 'temporary')
  mkdirSync(temporary)
  const signal = new AbortController().signal
  const endpoint = createFileEndpoint(path, { role: 'source', temporaryDirectory: temporary, signal, ...options })
  onTestFinished(() => endpoint.close())
  return endpoint
}

/** The same, opened. */
export async function openEndpoint(path: string, options: Partial<FileEndpointOptions> = {}): Promise<JsonlEndpoint> {
  const endpoint = makeEndpoint(path, options)
  await endpoint.open()
  return endpoint
}
