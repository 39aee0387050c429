import { reasonOf, SyncError, UsageError } from '../../errors.ts'
import { renderJson } from './render-json.ts'

/** What ended a run, its exit code, and the profile that was run. */
export type Failure = { readonly error: unknown; readonly exit: number; readonly profile?: string | undefined }

/** Renders the error that ended the program, or the run of a profile, as a JSON document. */
export function renderFailure({
  error: thrown,
  exit,
  profile,
  command,
}: Failure & { command?: string | undefined }): string {
  const isUsage = thrown instanceof UsageError
  const usageHint = `see ngit-sync ${command === undefined ? '' : `${command} `}--help`
  const hint = isUsage ? usageHint : thrown instanceof SyncError ? (thrown.hint ?? null) : null
  const error = isUsage ? thrown.problems.join('; ') : reasonOf(thrown)
  return renderJson({ version: 1, ...(profile === undefined ? {} : { profile }), exit, error, hint })
}
