import { reasonOf, SyncError, UsageError } from '../../errors.ts'
import { escapeForTerminal } from '../escape.ts'
import { maskUrls } from '../mask-url.ts'

/** Renders the error that ended a run for standard error: `error: …` lines, then the hint. Ends with a newline. */
export function renderError(thrown: unknown, command?: string): string {
  if (thrown instanceof UsageError) return renderUsageProblems(thrown.problems, command)
  const hint = thrown instanceof SyncError ? thrown.hint : undefined
  return line('error', reasonOf(thrown)) + causes(thrown) + (hint === undefined ? '' : line('hint', hint))
}

/** Renders one line per usage problem, and where to find the help. */
export function renderUsageProblems(problems: readonly string[], command?: string): string {
  const help = command === undefined ? 'ngit-sync --help' : `ngit-sync ${escapeForTerminal(command)} --help`
  return `${problems.map((problem) => line('error', problem)).join('')}see ${help}\n`
}

/** The chain of causes that the message does not already contain. */
function causes(thrown: unknown): string {
  let lines = ''
  let told = reasonOf(thrown)
  for (let cause = causeOf(thrown); cause !== undefined; cause = causeOf(cause)) {
    const reason = reasonOf(cause)
    if (!told.includes(reason)) lines += line('cause', reason)
    told += reason
    if (told.length > 5000) break
  }
  return lines
}

function causeOf(thrown: unknown): unknown {
  return thrown instanceof Error ? thrown.cause : undefined
}

function line(label: string, text: string): string {
  return `${label}: ${escapeForTerminal(maskUrls(text), { maxLength: 1000 })}\n`
}
