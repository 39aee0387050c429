import { reasonOf, SyncError, UsageError } from '../../errors.ts'
import type { Failure } from '../tell-script.ts'
import { renderJson } from './render-json.ts'

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
