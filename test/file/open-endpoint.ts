import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import { createFileEndpoint, type JsonlEndpoint, type FileEndpointOptions } from '../../src/file/file-endpoint.ts'

const created: string[] = []
const opened: JsonlEndpoint[] = []

/** A new directory that is removed after the test. */
export function makeDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'ngit-sync-test-'))
  created.push(directory)
  return directory
}

/** An endpoint that is closed after the test, with its index in `temporary/` beside the file. */
export function makeEndpoint(path: string, options: Partial<FileEndpointOptions> = {}): JsonlEndpoint {
  const temporaryDirectory = join(makeDirectory(), 'temporary')
  mkdirSync(temporaryDirectory)
  const signal = new AbortController().signal
  const endpoint = createFileEndpoint(path, { role: 'source', temporaryDirectory, signal, ...options })
  opened.push(endpoint)
  return endpoint
}

/** The same, opened. */
export async function openEndpoint(path: string, options: Partial<FileEndpointOptions> = {}): Promise<JsonlEndpoint> {
  const endpoint = makeEndpoint(path, options)
  await endpoint.open()
  return endpoint
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((endpoint) => endpoint.close()))
  for (const directory of created.splice(0)) rmSync(directory, { recursive: true, force: true })
})
