/* Why a run is not complete, and what to do then: the parts of a verdict. */
import { NOT_TAKEN, OUT_OF_TIME } from '../../errors.ts'
import type { Report } from '../../report/report.ts'
import { foreign } from './foreign.ts'
import { formatPlural } from './format-quantity.ts'
import { mendsOf } from './next-steps.ts'
import { whatShardsLack } from './shard-words.ts'

const SHARDS_AGAIN = 'run the shards again that are missing or partial, with the same options, and merge again'

/** Why a run is not complete, each reason the part of a sentence. */
export function whatIsMissing({ command, exit, totals, sources, problems, target, merged, git }: Report): string[] {
  const parts: string[] = []
  if (exit === 1 && problems.some(({ what }) => what === 'plan'))
    parts.push('the plan is larger than --max-send allows')
  else if (merged === null ? exit === 1 : merged.shards.some((shard) => shard.exit === 1))
    parts.push('the target refuses us')
  if (exit !== 1 && problems.some(({ what }) => what === 'target')) parts.push('the target stopped answering')
  if (problems.some(({ what }) => what === 'gap')) parts.push('the target may hold more than its pages show')
  if (problems.some(({ what, reason }) => what === 'unsent' && (reason === OUT_OF_TIME || reason === NOT_TAKEN)))
    parts.push('the time was up')
  parts.push(...(merged === null ? [] : whatShardsLack(merged)))
  if (problems.some(({ what }) => what === 'git')) parts.push('git repositories at the target could not be asked')
  if (exit !== 1 && (git?.stopped ?? null) !== null) parts.push('not all git data was looked at')
  if (problems.some(({ what }) => what === 'file')) parts.push('a file has unreadable lines')
  if (totals.parked > 0 && command !== 'check') {
    parts.push(`${formatPlural(totals.parked, 'event')} ${totals.parked === 1 ? 'waits' : 'wait'} on disk`)
  }
  const unread = sources.filter(({ complete }) => !complete).map(({ url }) => shortName(url))
  if (unread.length > 0) parts.push(unreadText(unread))
  if (problems.some(({ what, where }) => what === 'narrow' && where === target)) {
    parts.push('the target was not read to its end')
  }
  return parts
}

function unreadText([first = '', ...others]: readonly string[]): string {
  if (others.length === 0) return `${first} was not read to its end`
  const rest = others.length === 1 ? (others[0] ?? '') : `${others.length} more sources`
  return `${first} and ${rest} were not read to their end`
}

/** A source without its scheme. */
export function shortName(url: string): string {
  return foreign(url).replace(/^wss?:\/\//, '')
}

/** Does not advise another run if something has to be fixed first. Begins with a space unless it is empty. */
export function nextStep({ exit, command, problems, merged }: Report): string {
  const mends = exit === 3 ? mendsOf(problems) : []
  const again = merged === null ? `run ngit-sync ${foreign(command)} again` : SHARDS_AGAIN
  if (mends.length > 0) return ` ${mends.join('. ')}. Then ${again}.`
  const isOpen = exit === 3 || (merged !== null && merged.failures.length > 0)
  if (isOpen) return ` ${capitalize(again)}${merged === null ? ' with the same options' : ''}.`
  return exit === 130 || exit === 143 ? ' The next run goes on from here.' : ''
}

function capitalize(sentence: string): string {
  return sentence.slice(0, 1).toUpperCase() + sentence.slice(1)
}
