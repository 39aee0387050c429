import type { Report } from '../../report/report.ts'
import { matchShards } from './match-shards.ts'
import { mergeReports } from './merge-reports.ts'
import { readReports, type ReadingPlace } from './read-reports.ts'

/**
 * Reads the reports of shards and returns them as one. Throws SyncError when a file cannot be read, and UsageError when
 * one holds no report, or they are not of one whole.
 */
export async function runMerge(files: readonly string[], place: ReadingPlace): Promise<Report> {
  return mergeReports(matchShards(await readReports(files, place)))
}
