import type { Report } from '../../report/report.ts'
import type { RunOptions } from '../../report/run-options.ts'
import { foreign } from '../render/foreign.ts'
import type { Page } from './page.ts'

type FailedEnds = Pick<RunOptions, 'command' | 'sources' | 'target'>

/** The commands to type next, without the options that the report does not know. */
export function commandsFor(report: Report): Page['commands'] {
  const { check, totals } = report
  const [ends, target] = [endsOf(report), `--target ${quote(report.target)}`]
  const isOpen = check === null ? report.exit !== 0 : (check.missing ?? 1) > 0
  const copy = report.window !== null ? 'backfill' : check?.needsFull === true ? 'catchup --full' : 'catchup'
  return [
    ...(isOpen
      ? [{ does: check === null ? 'run it again' : 'copy what is missing', line: `ngit-sync ${copy} ${ends}` }]
      : []),
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

function pathOf({ problems, target }: Report): Page['commands'] {
  const example = problems.find((problem) => problem.example !== null)?.example
  if (example === null || example === undefined) return []
  return [
    { does: 'the path of one of these events', line: `ngit-sync why ${quote(example)} --target ${quote(target)}` },
  ]
}

/** The commands after a run that ended without a report. */
export function commandsAfterFailure({ command, sources, target }: FailedEnds): Page['commands'] {
  const ends = [...sources.map((url) => `--source ${quote(url)}`), `--target ${quote(target)}`].join(' ')
  const relays = [target, ...sources].filter((url) => /^wss?:/.test(url)).slice(0, 2)
  return [
    { does: 'run it again', line: `ngit-sync ${command} ${command === 'retry' ? `--target ${quote(target)}` : ends}` },
    ...relays.map((url) => ({
      does: 'what a relay is, and whether it answers',
      line: `ngit-sync relay ${quote(url)}`,
    })),
    { does: 'checkpoints, sources and the last runs', line: `ngit-sync status --target ${quote(target)}` },
  ]
}

function endsOf({ sources, target, scope }: Report): string {
  const named = sources.filter(({ discovered }) => !discovered)
  const width = scope.kind === 'named' ? [] : [`--scope ${scope.kind}`]
  return [...named.map(({ url }) => `--source ${quote(url)}`), `--target ${quote(target)}`, ...width].join(' ')
}

/** Quotes a word for a shell where it must be. */
function quote(text: string): string {
  const shown = foreign(text)
  return /^[\w@%+=:,./[\]-]+$/.test(shown) ? shown : `'${shown.replaceAll("'", String.raw`'\''`)}'`
}
