import type { Report } from '../../report/report.ts'
import type { RunOptions } from '../../report/run-options.ts'
import { raisingCommands } from '../render/copies-words.ts'
import { quoteWord } from '../render/quote-word.ts'
import type { Page } from './page.ts'

type FailedEnds = Pick<RunOptions, 'command' | 'sources' | 'target'>

/** The commands to type next, without the options that the report does not know. */
export function commandsFor(report: Report): Page['commands'] {
  const { check, totals } = report
  const [ends, target] = [endsOf(report), `--target ${quoteWord(report.target)}`]
  const isOpen = check === null ? report.exit !== 0 : (check.missing ?? 1) > 0
  const copy = report.window !== null ? 'backfill' : check?.needsFull === true ? 'catchup --full' : 'catchup'
  return [
    ...(isOpen
      ? [{ does: check === null ? 'run it again' : 'copy what is missing', line: `ngit-sync ${copy} ${ends}` }]
      : []),
    ...raisingCommands(report).map((line) => ({ does: 'raise the number of copies', line })),
    ...(totals.parked > 0
      ? [
          { does: 'what waits, and why', line: `ngit-sync status ${target} --parked` },
          { does: 'try what waits now, as after a push of git data', line: `ngit-sync retry ${target}` },
        ]
      : []),
    ...pathOf(report),
    { does: 'compare both sides; sends nothing', line: `ngit-sync check ${ends}` },
    { does: 'checkpoints, sources and the last runs', line: `ngit-sync status ${target}` },
  ]
}

function pathOf({ problems, target, check }: Report): Page['commands'] {
  const example =
    problems.find((problem) => problem.example !== null)?.example ?? check?.copies?.repositories[0]?.example
  if (example === null || example === undefined) return []
  return [
    {
      does: 'the path of one of these events',
      line: `ngit-sync why ${quoteWord(example)} --target ${quoteWord(target)}`,
    },
  ]
}

/** The commands after a run that ended without a report. */
export function commandsAfterFailure({ command, sources, target }: FailedEnds): Page['commands'] {
  const ends = [...sources.map((url) => `--source ${quoteWord(url)}`), `--target ${quoteWord(target)}`].join(' ')
  const relays = [target, ...sources].filter((url) => /^wss?:/.test(url)).slice(0, 2)
  return [
    {
      does: 'run it again',
      line: `ngit-sync ${command} ${command === 'retry' ? `--target ${quoteWord(target)}` : ends}`,
    },
    ...relays.map((url) => ({
      does: 'what a relay is, and whether it answers',
      line: `ngit-sync relay ${quoteWord(url)}`,
    })),
    { does: 'checkpoints, sources and the last runs', line: `ngit-sync status --target ${quoteWord(target)}` },
  ]
}

function endsOf({ sources, target, scope }: Report): string {
  const named = sources.filter(({ discovered }) => !discovered)
  const width = scope.kind === 'named' ? [] : [`--scope ${scope.kind}`]
  return [...named.map(({ url }) => `--source ${quoteWord(url)}`), `--target ${quoteWord(target)}`, ...width].join(' ')
}
