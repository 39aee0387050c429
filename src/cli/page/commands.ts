import type { Report } from '../../report/report.ts'
import type { RunOptions } from '../../report/run-options.ts'
import { raisingCommands } from '../render/copies-words.ts'
import { foreign } from '../render/foreign.ts'
import { quoteWord } from '../render/quote-word.ts'
import { nameShards } from '../render/shard-words.ts'
import type { Page } from './page.ts'

/** A command that failed: a run, or the merging of reports. */
export type FailedCommand = Pick<RunOptions, 'command' | 'sources' | 'target'> | FailedMerge
type FailedMerge = { readonly command: 'merge-reports'; readonly files: readonly string[] }

/** What the commands here leave out. */
export const OPTIONS_LACK = 'Add the options that the run had: a state file, a key, repositories.'

/** Of shards to run again, as many have a command of their own. */
const SHARDS_NAMED = 3
const FILES_NAMED = 8

/** The commands to type next, without the options that the report does not know. */
export function commandsFor(report: Report): Page['commands'] {
  const { check, totals, merged } = report
  const [part, target] = [partOf(report), `--target ${quoteWord(report.target)}`]
  const own = merged === null ? part : ''
  const each = merged === null ? '' : `, for each N from 1 to ${merged.of}`
  return [
    ...againFor(report),
    ...((check?.missing ?? 0) > 0 ? [{ does: `copy what is missing${each}`, line: copyingLine(report) }] : []),
    ...raisingCommands(report).map((line) => ({ does: 'raise the number of copies', line })),
    ...(totals.parked > 0
      ? [
          { does: 'what waits, and why', line: `ngit-sync status ${target}${own} --parked` },
          { does: `try what waits now, as after a push of git data${each}`, line: `ngit-sync retry ${target}${part}` },
        ]
      : []),
    ...pathOf(report),
    { does: `compare both sides; sends nothing${each}`, line: `ngit-sync check ${endsOf(report)}${part}` },
    { does: 'checkpoints, sources and the last runs', line: `ngit-sync status ${target}${own}` },
  ]
}

/** What runs again what is not done; of a merged report, the shards that are missing or not complete. */
function againFor(report: Report): Page['commands'] {
  const { command, merged, git, exit, check, target } = report
  const ends = command === 'retry' ? `--target ${quoteWord(target)}` : endsOf(report)
  const line = `ngit-sync ${foreign(command)}${git === null ? '' : ' --git'} ${ends}`
  if (merged === null)
    return check === null && exit !== 0 ? [{ does: 'run it again', line: `${line}${partOf(report)}` }] : []
  const open = [
    ...merged.missing,
    ...merged.shards.filter((shard) => shard.exit !== 0 && shard.exit !== 5).map(({ number }) => number),
  ]
  if (open.length === 0) return []
  const run = (shard: number | 'N'): string => `${line} --shard ${shard}/${merged.of} --json > shard-${shard}.json`
  return [
    ...(open.length <= SHARDS_NAMED
      ? open.map((number) => ({ does: `run shard ${number} again`, line: run(number) }))
      : [{ does: `run again, for N each of ${nameShards(open.toSorted((a, b) => a - b))}`, line: run('N') }]),
    { does: 'merge again', line: 'ngit-sync merge-reports shard-*.json' },
  ]
}

function copyingLine(report: Report): string {
  const copy = report.window !== null ? 'backfill' : report.check?.needsFull === true ? 'catchup --full' : 'catchup'
  return `ngit-sync ${copy} ${endsOf(report)}${partOf(report)}`
}

/** The shard of a run; of a merged report, N stands for each. */
function partOf({ shard, merged }: Report): string {
  if (shard !== null) return ` --shard ${shard.number}/${shard.of}`
  return merged === null ? '' : ` --shard N/${merged.of}`
}

function pathOf({ problems, target, check, shard }: Report): Page['commands'] {
  const example =
    problems.find((problem) => problem.example !== null)?.example ?? check?.copies?.repositories[0]?.example
  if (example === null || example === undefined) return []
  return [
    {
      does: 'the path of one of these events',
      line: `ngit-sync why ${quoteWord(example)} --target ${quoteWord(target)}${shard === null ? '' : ` --shard ${shard.number}/${shard.of}`}`,
    },
  ]
}

/** The commands after a run, or a merge, that ended without a report. */
export function commandsAfterFailure(failed: FailedCommand): Page['commands'] {
  if (isMerge(failed)) {
    const words = failed.files.length > FILES_NAMED ? ['shard-*.json'] : failed.files.map(quoteWord)
    return [{ does: 'merge again', line: `ngit-sync merge-reports ${words.join(' ')}` }]
  }
  const { command, sources, target } = failed
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

/** Whether it was no run that failed, but the merging of reports. */
export function isMerge(failed: FailedCommand): failed is FailedMerge {
  return failed.command === 'merge-reports'
}

function endsOf({ sources, target, scope }: Report): string {
  const named = sources.filter(({ discovered }) => !discovered)
  const width = scope.kind === 'named' ? [] : [`--scope ${scope.kind}`]
  return [...named.map(({ url }) => `--source ${quoteWord(url)}`), `--target ${quoteWord(target)}`, ...width].join(' ')
}
