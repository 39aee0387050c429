/* The verdict of `check`: first what was found, then what to do. */
import type { CopiesReport } from '../../report/copies-report.ts'
import type { CheckReport, Report, SampleReport } from '../../report/report.ts'
import { copiesSentences, gitCopiesSentences, raisingCommands, spreadingSentences } from './copies-words.ts'
import { formatCount, formatPlural } from './format-quantity.ts'
import { hasReconciled } from './render-check.ts'
import { nextStep, shortName, whatIsMissing } from './verdict-reasons.ts'

/** Says what a check found. */
export function checkText(report: Report): string {
  const { exit, check } = report
  if (exit === 0 && check !== null)
    return [equalText(report, check), ...gitSentences(report), ...enoughServers(report)].join(' ')
  const reasons = whatIsMissing(report).join(' and ') || 'not everything could be read'
  const found = [
    ...(check === null ? [] : targetSentences(check, exit)),
    ...gitSentences(report),
    ...(check === null ? [] : sourceSentences(check)),
    ...copySentences(report),
  ]
  return exit === 5 ? [...found, ...whatToDo(report)].join(' ') : `${reasons}; ${found.join(' ')}${nextStep(report)}`
}

/** What was found of the target's git data, if that was looked at. */
function gitSentences({ git, check }: Report): string[] {
  if (git === null) return []
  const { repositories, differing, unasked, lost } = git
  const all = formatPlural(repositories, 'repository', 'repositories')
  const whose = isAboutTarget(check) ? 'Its' : "The target's"
  if (differing === 0 && unasked === 0) return repositories === 0 ? [] : [`${whose} git data of ${all} is as signed.`]
  const gone =
    lost === 0 ? '' : `, and no server has what ${formatCount(lost)} of them ${lost === 1 ? 'needs' : 'need'}`
  return differing === 0 ? [] : [`${whose} git data of ${formatCount(differing)} of ${all} differs${gone}.`]
}

/** Whether the sentence before names the target. */
function isAboutTarget(check: CheckReport | null): boolean {
  return check?.missing === 0
}

/** What the target lacks, or serves otherwise than it was signed. */
function targetSentences(check: CheckReport, exit: number): string[] {
  const { missing, waiting, sample } = check
  const damaged = sample?.damaged ?? 0
  const who = isAboutTarget(check) ? 'It' : 'The target'
  return [
    missingSentence(missing, exit),
    ...(exit === 5 && missing !== null && waiting > 0 ? [waitingSentence(missing, waiting)] : []),
    ...(damaged > 0
      ? [`${who} serves ${damaged === 1 ? 'a damaged event' : `${formatCount(damaged)} damaged events`}.`]
      : []),
  ]
}

function sourceSentences({ both }: CheckReport): string[] {
  const lacking = (both ?? []).filter((back) => back.missing > 0)
  return lacking.map((back) => `${shortName(back.source)} lacks ${formatPlural(back.missing, 'event')}.`)
}

/** Of what there are too few copies, of events and of git data. */
function copySentences({ check, git }: Report): string[] {
  const [events, servers] = [check?.copies ?? null, git?.copies ?? null]
  return [...(events === null ? [] : copiesSentences(events)), ...(servers === null ? [] : gitCopiesSentences(servers))]
}

/** A partial read proves only what it shows. */
function missingSentence(missing: number | null, exit: number): string {
  if (missing === null) return 'nothing could be compared.'
  const isRead = exit === 0 || exit === 5
  if (missing > 0)
    return `${isRead ? '' : 'at least '}${formatPlural(missing, 'event')} ${missing === 1 ? 'is' : 'are'} missing.`
  return isRead ? 'the target lacks nothing.' : 'the target lacks nothing of what could be read.'
}

/** Of missing events, those that the target did not take wait for something else. */
function waitingSentence(missing: number, waiting: number): string {
  const who = waitingText(missing, waiting)
  return `${who} on disk: the target did not take ${waiting === 1 ? 'it' : 'them'} yet.`
}

function waitingText(missing: number, waiting: number): string {
  if (missing === waiting) return missing === 1 ? 'It waits' : 'All of them wait'
  return `${formatCount(waiting)} of them ${waiting === 1 ? 'waits' : 'wait'}`
}

/** The commands that would mend what was found. */
function whatToDo(report: Report): string[] {
  const servers = report.git?.copies ?? null
  return [...copySentence(report), ...raiseSentence(report), ...(servers === null ? [] : spreadingSentences(servers))]
}

/** The command that would copy the missing events, and mend git data; says which, unless nothing else was found. */
function copySentence(report: Report): string[] {
  const { check, merged } = report
  const left = (check?.missing ?? 0) - (check?.waiting ?? 0)
  const isAlone = copySentences(report).length === 0 && report.git === null && (check?.both ?? null) === null
  const mends = [
    ...(check !== null && left > 0 ? [`copy ${whichEvents(check, isAlone)}`] : []),
    ...(isRepairable(report) ? ['repair git data'] : []),
  ]
  if (check === null || mends.length === 0) return []
  const shards = merged === null ? '' : ' for each shard'
  return [
    `\`ngit-sync ${mendingCommand(report, check)}\`${shards} with the same options${besides(check)} would ${mends.join(' and ')}.`,
  ]
}

/** `repair` copies first. */
function mendingCommand(report: Report, { needsFull }: CheckReport): string {
  if (report.window !== null) return 'backfill'
  return `${isRepairable(report) ? 'repair --git' : 'catchup'}${needsFull ? ' --full' : ''}`
}

function isRepairable({ git, window }: Report): boolean {
  return window === null && (git?.list ?? []).some(({ remedy }) => remedy.type === 'repair')
}

function whichEvents({ missing, waiting }: CheckReport, isAlone: boolean): string {
  const left = (missing ?? 0) - waiting
  const those = waiting > 0 ? 'other ' : ''
  if (!isAlone) return `the ${left === 1 ? '' : `${formatCount(left)} `}${those}missing ${left === 1 ? 'one' : 'ones'}`
  if (waiting === 0) return left === 1 ? 'it' : 'them'
  return left === 1 ? 'the other one' : `the other ${formatCount(left)}`
}

/** Options that only `check` takes. */
function besides({ copies, sample, both, ids }: CheckReport): string {
  const names = [
    ...(copies === null ? [] : ['--copies']),
    ...(sample === null ? [] : ['--sample']),
    ...(both === null ? [] : ['--both']),
    ...(ids === null ? [] : ['--ids']),
  ]
  const [last, ...others] = names.toReversed()
  if (last === undefined) return ''
  return ` except ${[...(others.length === 0 ? [] : [others.toReversed().join(', ')]), last].join(' and ')}`
}

function raiseSentence(report: Report): string[] {
  if (raisingCommands(report).length === 0) return []
  return ['The commands in this report would bring scarce events to where they are lacking.']
}

/** NIP-77 proves parts equal without counting them, so there is no number to report. */
function equalText(report: Report, { differences, both, sample, copies }: CheckReport): string {
  const { parked, refused } = report.totals
  const held = differences.reduce((sum, { targetHas }) => sum + targetHas, 0)
  const isCounted = !hasReconciled(report)
  const all = isCounted ? `${allEvents(held)} that the sources have` : 'all that the sources have'
  const parts = [isCounted && held === 0 ? 'there is nothing to compare' : `the target holds ${all}`]
  if (both !== null) parts.push('and the other way round')
  if (sample !== null) parts.push(sampleText(sample))
  if (copies !== null) parts.push(enoughText(copies))
  const exceptions = [
    ...(parked > 0 ? [`${formatCount(parked)} that it took and does not serve yet`] : []),
    ...(refused > 0 ? [`${formatCount(refused)} that it refused in earlier runs`] : []),
  ]
  if (exceptions.length > 0) parts.push(`but for ${exceptions.join(' and ')}`)
  return `${parts.join(', ')}${report.window === null ? '' : ' in the window'}.`
}

function sampleText({ number, of, events }: SampleReport): string {
  return `part ${number} of ${of} read back and verified (${formatPlural(events, 'event')})`
}

function enoughText({ wanted, events, ends }: CopiesReport): string {
  const all = events === 1 ? 'the only event is' : `each of ${formatCount(events)} events is`
  const most = wanted < ends.length ? `${wanted} or more` : `${wanted}`
  return `${all} at ${most} of ${formatPlural(ends.length, 'end')}`
}

function enoughServers({ git }: Report): string[] {
  const copies = git?.copies ?? null
  if (copies === null || copies.repositories === 0) return []
  const all =
    copies.repositories === 1 ? 'the only repository' : `each of ${formatCount(copies.repositories)} repositories`
  return [`The git data of ${all} is at ${formatPlural(copies.wanted, 'server')} or more.`]
}

/** So many events, as an object of which something is said. */
export function allEvents(held: number): string {
  return held === 1 ? 'the only event' : `all ${formatCount(held)} events`
}
