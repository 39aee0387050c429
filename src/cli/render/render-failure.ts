import { reasonOf, SyncError, UsageError } from '../../errors.ts'
import { maskUrls } from '../mask-url.ts'
import { renderJson } from './render-json.ts'

/** Renders the error that ended the program as a JSON document for standard output. `exit`: its code. */
export function renderFailure(thrown: unknown, exit: number, command?: string): string {
  if (thrown instanceof UsageError) return renderUsageFailure(thrown.problems, command)
  const hint = thrown instanceof SyncError ? (thrown.hint ?? null) : null
  return renderJson({ version: 1, exit, error: maskUrls(reasonOf(thrown)), hint })
}

/** The same for problems of the command line. */
export function renderUsageFailure(problems: readonly string[], command?: string): string {
  const hint = `see ngit-sync ${command === undefined ? '' : `${command} `}--help`
  return renderJson({ version: 1, exit: 2, error: maskUrls(problems.join('; ')), hint })
}
