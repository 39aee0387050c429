/* The words for how many copies there are, each on one line and safe to print (rule 7). */
import type { CopiesReport, GitCopies, RepositoryCopies } from '../../report/copies-report.ts'
import type { Report } from '../../report/report.ts'
import { foreign } from './foreign.ts'
import { formatCount, formatPlural } from './format-quantity.ts'
import { quoteWord } from './quote-word.ts'

const ENDS_NAMED = 2
const COMMANDS = 3

/** How the events spread: `copies of 4,812 events: 4,769 at all 3 ends · 31 at 2 · 12 at 1`. */
export function spreadOfCopies({ events, ends, histogram }: CopiesReport): string {
  const bins = histogram.filter((bin) => bin.events > 0).toReversed()
  const parts = bins.map((bin) => {
    const isAll = bin.copies === ends.length
    return `${formatCount(bin.events)} at ${isAll ? 'all ' : ''}${formatPlural(bin.copies, 'end')}`
  })
  const seen = ends.some(({ reason }) => reason !== null) ? ' seen' : ''
  return `copies of ${formatPlural(events, 'event')}${seen}: ${parts.join(' · ') || 'none'}`
}

/** `12 of 4,812 events have fewer than 3 copies.`, and what is not known; empty if all have enough. */
export function copiesSentences({ events, below, undecided, wanted }: CopiesReport): string[] {
  const fewer = `fewer than ${formatPlural(wanted, 'copy', 'copies')}`
  const why = 'not every end was read'
  if (below === 0) return undecided === 0 ? [] : [`${formatPlural(undecided, 'event')} may have ${fewer}: ${why}.`]
  const more = undecided === 0 ? '' : `, and ${formatCount(undecided)} more may have: ${why}`
  return [`${formatCount(below)} of ${formatPlural(events, 'event')} ${below === 1 ? 'has' : 'have'} ${fewer}${more}.`]
}

/** The same for git data. */
export function gitCopiesSentences({ repositories, below, undecided, wanted }: GitCopies): string[] {
  const fewer = `at fewer than ${formatPlural(wanted, 'server')}`
  const all = formatPlural(repositories, 'repository', 'repositories')
  const why = 'not every server answered'
  if (below === 0)
    return undecided === 0 ? [] : [`The git data of ${formatCount(undecided)} of ${all} may be ${fewer}: ${why}.`]
  const more = undecided === 0 ? '' : `, and that of ${formatCount(undecided)} more may be: ${why}`
  return [`The git data of ${formatCount(below)} of ${all} is ${fewer}${more}.`]
}

/** What would bring git data to more servers; empty if none is known to be at too few. */
export function spreadingSentences({ below }: GitCopies): string[] {
  if (below === 0) return []
  return [
    'For git data at too few servers, push a clone to another one that the announcement names, or have one more named.',
    '`ngit-sync repair --git` does that for a GRASP relay as --target, or says what its operator has to do.',
  ]
}

/** The ends that lack most of the scarce events of a repository: `relay.two 31, localhost:7443 3 and 1 more`. */
export function whoLacks({ lacking }: Pick<RepositoryCopies, 'lacking'>): string {
  const named = lacking.slice(0, ENDS_NAMED).map(({ url, events }) => `${shortEnd(url)} ${formatCount(events)}`)
  const hidden = lacking.length - named.length
  return named.join(', ') + (hidden > 0 ? ` and ${formatCount(hidden)} more` : '')
}

/** An end without its scheme. */
export function shortEnd(url: string): string {
  return foreign(url).replace(/^wss?:\/\//, '')
}

/** The commands that would bring the scarce events to the ends that lack the most of them; at most three. */
export function raisingCommands({ scope, check }: Pick<Report, 'scope' | 'check'>): string[] {
  const copies = check?.copies ?? null
  if (copies === null) return []
  const ends = copies.ends.filter(({ url }) => url !== '-')
  const lacking = ends.filter(({ lacks }) => lacks > 0).toSorted((a, b) => b.lacks - a.lacks)
  return lacking.slice(0, COMMANDS).map(({ url: target }) => {
    const sources = ends.filter(({ url, events }) => url !== target && events > 0)
    const words = [
      ...sources.map(({ url }) => `--source ${quoteWord(url)}`),
      `--target ${quoteWord(target)}`,
      ...(scope.kind === 'named' ? [] : [`--scope ${scope.kind}`]),
      ...(copies.service === null ? [] : [`--service ${quoteWord(`wss://${copies.service}`)}`]),
    ]
    return `ngit-sync catchup --full ${words.join(' ')}`
  })
}
