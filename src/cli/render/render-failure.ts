import { reasonOf, SyncError, UsageError } from '../../errors.ts'
import { renderJson } from './render-json.ts'

/** Renders the error that ended the program as a JSON document for standard output. `exit`: its code. */
export function renderFailure(thrown: unknown, exit: number, command?: string): string {
  const isUsage = thrown instanceof UsageError
  const usageHint = `see ngit-sync ${command === undefined ? '' : `${command} `}--help`
  const hint = isUsage ? usageHint : thrown instanceof SyncError ? (thrown.hint ?? null) : null
  return renderJson({ version: 1, exit, error: isUsage ? thrown.problems.join('; ') : reasonOf(thrown), hint })
}
