import { exitCodeOf, exitWord } from '../exit-codes.ts'
import { foreign } from '../render/foreign.ts'
import { formatPlural } from '../render/format-quantity.ts'
import { formatDateTime, type TimeContext } from '../render/format-time.ts'
import { renderError } from '../render/render-error.ts'
import { commandsAfterFailure, isMerge, OPTIONS_LACK, type FailedCommand } from './commands.ts'
import type { Page } from './page.ts'

/** A command that ended without a report. */
export type FailedRun = { readonly options: FailedCommand; readonly error: unknown }

const SAFE = 'Nothing is lost: checkpoints move last, so the next run takes up again whatever this one did not finish.'

/** Returns the page for a run that could not begin, or broke down: what failed, where, and what to do. */
export function buildFailurePage({ options, error }: FailedRun, times: TimeContext, toolVersion: string): Page {
  const exit = exitCodeOf(error)
  const { problems, causes, step } = explain(error, options.command)
  return {
    title: titleOf(options),
    tone: 'bad',
    verdict: { word: `${exitWord(exit)} (${exit})`, sentence: problems.join('; ') },
    facts: [...endsOf(options), ['ended', formatDateTime(times.now, times)]],
    times: null,
    shards: null,
    repositories: null,
    git: null,
    sources: [],
    waits: [
      {
        title: `the ${isMerge(options) ? 'merge' : 'run'} ended without a report`,
        reasons: [...problems, ...causes],
        step,
      },
    ],
    notes: isMerge(options) ? [] : [SAFE],
    commands: commandsAfterFailure(options),
    commandsLack: isMerge(options) ? null : OPTIONS_LACK,
    words: [],
    footer: `ngit-sync ${toolVersion} · written ${formatDateTime(times.now, times)}`,
  }
}

function titleOf(options: FailedCommand): string {
  return `ngit-sync ${options.command}${isMerge(options) ? '' : `: ${foreign(options.target)}`}`
}

function endsOf(options: FailedCommand): Page['facts'] {
  if (isMerge(options))
    return [
      [
        'reports',
        options.files.length === 1 ? foreign(options.files[0] ?? '') : formatPlural(options.files.length, 'file'),
      ],
    ]
  const { target, sources } = options
  return [['target', foreign(target)], ...sources.map((source) => ['source', foreign(source)] as const)]
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
