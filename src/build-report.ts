import { listHeldBack } from './check/held-back.ts'
import { listRepositories } from './check/list-repositories.ts'
import { signingTimes } from './check/signing-times.ts'
import { demandForKey } from './relay/answers.ts'
import type { Endpoint } from './relay/endpoint.ts'
import { MAYBE_NARROW, NARROW_ONLY } from './relay/paging/breadth.ts'
import type { GitReport } from './report/git-report.ts'
import { noteGit } from './repair/note-git.ts'
import type { CheckReport, LayerReport, Report } from './report/report.ts'
import { isWindowed } from './report/run-options.ts'
import { exitAfterSignal } from './run/end-run.ts'
import { isRead } from './run/run.ts'
import type { SourceLog } from './run/source-log.ts'
import type { Stop } from './run/stop.ts'
import { describeShard } from './scope/describe-shard.ts'
import type { ScopedRun } from './scope/scoped-run.ts'
import type { Spool, SpoolGroup } from './store/spool.ts'

/** Returns the report of a run as plain data, with its exit code. */
export function buildReport(run: ScopedRun, stop: Stop | undefined, durationMs: number): Report {
  const { options, target, ledger, world, startedAt, choice } = run
  noteProblems(run, stop)
  const layers = withParked(ledger.layers(), world.state.spool.countParked())
  const sources = [...run.logs.values()].map((log) => log.report())
  const parked = world.state.spool.count('parked')
  const exit = exitOf(run, stop, parked)
  return {
    version: 1,
    command: options.command,
    exit,
    complete: exit === 0,
    target: target.endpoint.url,
    targetSoftware: run.software ?? null,
    shard: describeShard(options, choice.scope),
    merged: null,
    scope: { kind: choice.scope.type, why: choice.why, repositories: run.catalog.members().announcements.size },
    range: rangeOf(run),
    window: isWindowed(options) ? { since: options.since ?? null, until: options.until ?? null } : null,
    dryRun: options.dryRun,
    startedAt,
    durationMs: Math.round(durationMs),
    layers,
    sources,
    totals: {
      fetched: sum(layers, ({ fetched }) => fetched),
      unique: sum(layers, ({ unique }) => unique),
      held: sum(layers, ({ held }) => held),
      published: sum(layers, ({ published }) => published),
      accepted: sum(layers, ({ outcomes }) => outcomes.accepted ?? 0),
      parked,
      refused: world.state.spool.count('refused'),
    },
    check: run.check,
    git: run.git,
    ...listRepositories(world.state, startedAt),
    signed: signingTimes(world.state.affected.hours(startedAt)),
    heldBack: listHeldBack(world.state, run.catalog),
    problems: ledger.problems(),
    followDepth: options.followUps && options.command !== 'retry' ? run.catalog.followDepth() : null,
    notes: ledger.notes(),
  }
}

/** Returns the exit code. A `--dry-run` must have read everything; other runs must also leave nothing parked. */
function exitOf(run: ScopedRun, stop: Stop | undefined, parked: number): number {
  const interrupted = exitAfterSignal(run.world.signal)
  if (interrupted !== undefined) return interrupted
  if (stop?.type === 'door' || stop?.type === 'implausible') return 1
  if (!isRead(run)) return 3
  if (run.git !== null && isGitUnknown(run.git)) return 3
  if (run.check !== null) return exitOfCheck(run.check, run.git)
  if (run.options.dryRun) return 0
  return stop === undefined && parked === 0 && isGitInSync(run.git) ? 0 : 3
}

function isGitInSync(git: GitReport | null): boolean {
  return git === null || git.differing === 0
}

/** Adds to each layer its parked events by outcome, those of earlier runs included; `totals.parked` is their sum. */
function withParked(layers: readonly LayerReport[], parked: ReturnType<Spool['countParked']>): LayerReport[] {
  return layers.map((report) => {
    const own = parked.filter(({ layer }) => layer === report.layer)
    const outcomes = Object.fromEntries(own.map(({ outcome, count }) => [outcome, count]))
    return { ...report, outcomes: { ...report.outcomes, ...outcomes } }
  })
}

/** Whether something about git data is not known: then it is not called well, nor differing. */
function isGitUnknown({ unasked, stopped, copies }: GitReport): boolean {
  return unasked > 0 || stopped !== null || (copies?.undecided ?? 0) > 0
}

function exitOfCheck({ missing, sample, copies }: CheckReport, git: GitReport | null): number {
  if (missing === null) return 3
  const damaged = sample?.damaged ?? 0
  const scarce = (copies?.below ?? 0) + (git?.copies?.below ?? 0)
  return missing > 0 || damaged > 0 || scarce > 0 || (git?.differing ?? 0) > 0 ? 5 : 0
}

function rangeOf({ logs: byUrl, options }: ScopedRun): Report['range'] {
  const logs = [...byUrl.values()]
  const sinces = logs.flatMap((log) => log.report().layers.flatMap(({ since }) => (since === null ? [] : [since])))
  const fulls = logs.map((log) => log.oldestFull())
  const isEverFull = fulls.length > 0 && fulls.every((full) => full !== null)
  return {
    completeSince: sinces.length === 0 ? (isWindowed(options) ? (options.since ?? null) : null) : Math.min(...sinces),
    fullAt: isEverFull ? Math.min(...fulls.map((full) => full ?? 0)) : null,
  }
}

function noteProblems(run: ScopedRun, stop: Stop | undefined): void {
  const { ledger, world, target } = run
  for (const log of run.logs.values()) noteSource(log, run)
  for (const note of run.catalog.notes()) ledger.note(note)
  noteGit(run)
  for (const endpoint of new Set([world.target, ...world.sources, ...run.sources.map(({ peer }) => peer.endpoint)])) {
    noteBrokenLines(endpoint, run)
    noteStrangeness(endpoint, run)
    noteNotices(endpoint, run)
  }
  for (const [reason, count] of run.targetGaps.list())
    ledger.problem({ what: 'gap', where: target.endpoint.url, reason, count, example: null })
  if (target.breadth.hides)
    ledger.problem({ what: 'narrow', where: target.endpoint.url, reason: NARROW_ONLY, example: null })
  if (stop?.type === 'door' || stop?.type === 'stopped') noteStop(stop, run)
  if (stop?.type === 'implausible')
    ledger.problem({ what: 'plan', where: target.endpoint.url, reason: stop.reason, example: null })
  const { spool } = world.state
  const refused = spool.groups('refused', run.startedAt)
  for (const group of [...spool.groups('parked'), ...refused]) {
    const { outcome, reason, count, example } = group
    // The layers count it; there is nothing to be done.
    if (outcome === 'superseded') continue
    ledger.problem({ what: outcome, where: target.endpoint.url, reason: reason + obstacleText(group), count, example })
  }
  noteHeld(run)
  const before = spool.count('refused') - sum(refused, ({ count }) => count)
  if (before > 0) ledger.note(`${before} refused in earlier runs and not sent again; \`ngit-sync status\` shows why.`)
}

/** Names the parent that stands in the way; of several, names one and counts the others. */
function obstacleText({ obstacle, obstacles }: SpoolGroup): string {
  if (obstacle === null) return ''
  return obstacles === 1 ? ` (${obstacle})` : ` (${obstacle} and ${obstacles - 1} more)`
}

function noteHeld({ world, startedAt, ledger }: ScopedRun): void {
  const held = sum(world.state.spool.groups('held', startedAt), ({ count }) => count)
  if (held === 0) return
  ledger.note(`${held} requests for deletion are held by the target, which serves them no more: not sent again.`)
}

function noteStop({ reason, doubtsService }: Stop, { ledger, target, choice }: ScopedRun): void {
  if (doubtsService === true && choice.scope.type === 'listed') {
    ledger.note(
      `Every announcement that names ${choice.scope.service.name} was refused: is that the target's public URL? Else give it with --service.`,
    )
  }
  const where = target.endpoint.url
  const demand = demandForKey(reason)
  ledger.problem({ what: demand === undefined ? 'target' : 'key', where, reason: demand ?? reason, example: null })
}

function noteSource(log: SourceLog, { ledger, choice }: ScopedRun): void {
  const where = log.report().url
  // The remedy is to name repositories or authors, and a named scope already does.
  const narrow = log.reasons().find(({ reason }) => reason === NARROW_ONLY || reason === MAYBE_NARROW)
  if (choice.scope.type !== 'named' && narrow !== undefined)
    ledger.problem({ what: 'narrow', where, reason: narrow.reason, example: null })
  for (const { layer, reason, filters } of log.reasons()) {
    const place = layer === null ? reason : `${layer} not read to the end: ${reason}`
    const demand = demandForKey(reason)
    ledger.problem({ what: 'source', where, reason: place, count: Math.max(1, filters), example: null })
    if (demand === undefined) continue
    if (log.isDiscovered) log.note('asks for authentication; the key is used only for relays named with --source')
    else ledger.problem({ what: 'key', where, reason: demand, example: null })
  }
  const { malformed, foreign } = log.oddities()
  if (malformed > 0) ledger.problem({ what: 'invalid', where, reason: 'not an event', count: malformed, example: null })
  if (foreign > 0) ledger.problem({ what: 'invalid', where, reason: 'not asked for', count: foreign, example: null })
}

function noteBrokenLines(endpoint: Endpoint, { ledger }: ScopedRun): void {
  const broken = endpoint.kind === 'file' ? endpoint.brokenLines() : undefined
  if (broken?.advice !== undefined) ledger.note(`${broken.advice}.`)
  for (const { line, reason } of broken?.examples ?? []) {
    ledger.problem({ what: 'file', where: endpoint.url, reason: `line ${line}: ${reason}`, example: null })
  }
  const unnamed = (broken?.count ?? 0) - (broken?.examples.length ?? 0)
  if (unnamed > 0)
    ledger.problem({ what: 'file', where: endpoint.url, reason: 'further broken lines', count: unnamed, example: null })
}

/** The key is never used for a discovered relay, so its demand for it needs no note. */
function noteStrangeness(endpoint: Endpoint, { ledger, logs }: ScopedRun): void {
  const sentence = endpoint.kind === 'relay' ? endpoint.strangeness() : undefined
  if (sentence === undefined || logs.get(endpoint.url)?.isDiscovered === true) return
  ledger.note(`${endpoint.url} ${sentence}.`)
}

function noteNotices(endpoint: Endpoint, { ledger }: ScopedRun): void {
  for (const { text, count } of endpoint.kind === 'relay' ? endpoint.notices() : []) {
    ledger.problem({ what: 'notice', where: endpoint.url, reason: text, count, example: null })
  }
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0)
}
