import type { RunOptions } from '../../report/run-options.ts'
import { exitCodeOf, exitWord } from '../exit-codes.ts'
import { foreign } from '../render/foreign.ts'
import { formatDateTime, type TimeContext } from '../render/format-time.ts'
import { renderError } from '../render/render-error.ts'
import { commandsAfterFailure } from './commands.ts'
import type { Page } from './page.ts'

/** A run that ended without a report. */
export type FailedRun = {
  readonly options: Pick<RunOptions, 'command' | 'sources' | 'target'>
  readonly error: unknown
}

const SAFE = 'Nothing is lost: checkpoints move last, so the next run takes up again whatever this one did not finish.'

/** Returns the page for a run that could not begin, or broke down: what failed, where, and what to do. */
export function buildFailurePage({ options, error }: FailedRun, times: TimeContext, toolVersion: string): Page {
  const { command, sources, target } = options
  const exit = exitCodeOf(error)
  const { problems, causes, step } = explain(error, command)
  return {
    title: `ngit-sync ${command}: ${foreign(target)}`,
    tone: 'bad',
    verdict: { word: `${exitWord(exit)} (${exit})`, sentence: problems.join('; ') },
    facts: [
      ['target', foreign(target)],
      ...sources.map((source) => ['source', foreign(source)] as const),
      ['ended', formatDateTime(times.now, times)],
    ],
    times: null,
    repositories: null,
    git: null,
    sources: [],
    waits: [{ title: 'the run ended without a report', reasons: [...problems, ...causes], step }],
    notes: [SAFE],
    commands: commandsAfterFailure(options),
    words: [],
    footer: `ngit-sync ${toolVersion} · written ${formatDateTime(times.now, times)}`,
  }
}

/** What standard error says, in its parts. */
function explain(error: unknown, command: string) {
  const lines = renderError(error, command).trim().split('\n')
  const labelled = (label: string): string[] =>
    lines.flatMap((line) => (line.startsWith(`${label}: `) ? [line.slice(label.length + 2)] : []))
  const step =
    labelled('hint')[0] ?? lines.find((line) => line.startsWith('see ')) ?? 'mend what it names, and run again'
  return { problems: labelled('error'), causes: labelled('cause'), step: step.replaceAll('`', '') }
}
