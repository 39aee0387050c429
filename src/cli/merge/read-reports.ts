import { readFileSync } from 'node:fs'
import type { Schema } from '@cfworker/json-schema'
import { SyncError, UsageError } from '../../errors.ts'
import { fileReasonOf } from '../../file/file-error.ts'
import { readPlainFile, readStream } from '../../file/read-bytes.ts'
import type { Report } from '../../report/report.ts'
import { escapeForTerminal } from '../escape.ts'
import type { FailureDocument } from '../render/render-json.ts'
import { toolVersion } from '../tool-version.ts'
import { findMisfit } from './find-misfit.ts'

/** A report as `--json` prints it, and the file that holds it. */
export type PrintedReport = { readonly file: string; readonly report: Report & { readonly toolVersion: string } }

/** What a run printed that ended without a report. It does not say which shard it was. */
export type PrintedFailure = { readonly file: string; readonly failure: FailureDocument }

/** Where reports are read from. */
export type ReadingPlace = { readonly openStdin: () => NodeJS.ReadStream; readonly signal: AbortSignal }

/** All reports are in memory at once; one of 10,000 repositories is about 3 MB. */
const MAX_BYTES = 256 * 2 ** 20
const SHOWN_LENGTH = 100
const MISFIT_LENGTH = 200
const SCHEMA = new URL('../../../report.schema.json', import.meta.url)

/**
 * Reads the documents of some files, `-` for standard input: one or several in each, one a line. Throws SyncError when a
 * file cannot be read, and UsageError when it holds something else than reports.
 */
export async function readReports(
  files: readonly string[],
  place: ReadingPlace,
): Promise<readonly (PrintedReport | PrintedFailure)[]> {
  const [ofReport = {}, ofFailure = {}] = (JSON.parse(readFileSync(SCHEMA, 'utf8')) as Schema).anyOf ?? []
  const found: (PrintedReport | PrintedFailure)[] = []
  let room = MAX_BYTES
  for (const file of files) {
    const text = await readText(file, room, place)
    room -= text.length
    for (const document of parseDocuments(file, text)) {
      const isFailure = typeof document === 'object' && document !== null && Object.hasOwn(document, 'error')
      refuseMisfit(file, document, isFailure ? ofFailure : ofReport)
      // The schema is made from these types.
      if (isFailure) found.push({ file, failure: document as FailureDocument })
      else found.push({ file, report: document as PrintedReport['report'] })
    }
  }
  return found
}

async function readText(file: string, room: number, { openStdin, signal }: ReadingPlace): Promise<string> {
  const chunks: Buffer[] = []
  let left = room
  const keep = (chunk: Buffer): void => {
    left -= chunk.length
    if (left < 0)
      throw new UsageError([`${shown(file)} is too large: reports may have ${MAX_BYTES / 2 ** 20} MiB together`])
    chunks.push(chunk)
  }
  try {
    await (file === '-' ? readStream(openStdin(), keep, signal) : readPlainFile(file, keep, signal))
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof UsageError) throw error
    throw new SyncError(`read the report ${shown(file)}: ${fileReasonOf(error)}`, {
      cause: error,
      hint: 'run that shard again, or leave the file out: the merged report is partial then',
    })
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** A document may stand on several lines if it is alone. */
function parseDocuments(file: string, text: string): unknown[] {
  const whole = parseJson(text)
  if (whole !== undefined) return [whole]
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  if (lines.length === 0) throw new UsageError([`${shown(file)} is empty: its run has not ended, or not with --json`])
  return lines.map((line) => {
    const document = parseJson(line)
    if (document !== undefined) return document
    throw new UsageError([`${shown(file)} holds no report: it is no JSON, or was cut off`])
  })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // told by the caller, in words that name the file
  }
}

function refuseMisfit(file: string, document: unknown, schema: Schema): void {
  const misfit = findMisfit(document, schema)
  if (misfit === undefined) return
  const written = versionOf(document)
  if (written !== undefined && written !== toolVersion()) {
    const versions = `${escapeForTerminal(written, { maxLength: SHOWN_LENGTH })}, this is ${toolVersion()}`
    throw new UsageError([`${shown(file)} was written by ngit-sync ${versions}: merge with the version that wrote it`])
  }
  const reason = escapeForTerminal(misfit, { maxLength: MISFIT_LENGTH })
  throw new UsageError([`${shown(file)} holds no report of this version of ngit-sync: ${reason}`])
}

function versionOf(document: unknown): string | undefined {
  if (typeof document !== 'object' || document === null || !('toolVersion' in document)) return undefined
  return typeof document.toolVersion === 'string' ? document.toolVersion : undefined
}

/** A file as a message names it. */
export function shown(file: string): string {
  return file === '-' ? 'standard input' : escapeForTerminal(file, { maxLength: SHOWN_LENGTH })
}
