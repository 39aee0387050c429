import type { RunOptions, ScopeRequest } from '../../report/run-options.ts'
import type { UnixSeconds } from '../../time.ts'
import { escapeForTerminal } from '../escape.ts'
import { conflict } from './conflict.ts'
import { readGit } from './git-options.ts'
import type { OptionReader } from './option-reader.ts'
import { envNameOf, OPTIONS, type OptionSpec } from './option-table.ts'
import { isSameEndpoint, parseEndpoint, parseService } from './parse-endpoint.ts'
import {
  parseBytes,
  parseDurationSeconds,
  parseInteger,
  parseIntervalSeconds,
  parsePart,
  parseRunDurationMs,
  parseSendLimit,
} from './parse-quantity.ts'
import { parseAuthor, parseRepository } from './parse-repository.ts'
import { parseTime } from './parse-time.ts'
import { parseChoice } from './parsed.ts'
import { keyOf } from './raw-values.ts'

/** `problems` takes what is wrong; `profiles` of the configuration file are for a hint. */
type Reading = {
  readonly reader: OptionReader
  readonly problems: string[]
  readonly now: UnixSeconds
  readonly profiles?: readonly string[] | undefined
  /** Source and target may be left out: the state file knows them. */
  readonly endsMayBeAbsent?: boolean
}

/** Reads the options of a run. */
export function readRun(command: RunOptions['command'], reading: Reading): RunOptions {
  const { reader } = reading
  const ends = readEnds(command, reading)
  return {
    command,
    ...ends,
    scope: readScope(reading),
    service: reader.one(OPTIONS.service, parseService),
    ...readRange(command, reading),
    quickWindowSeconds: reader.withDefault(OPTIONS.quickWindow, parseDurationSeconds),
    fullEverySeconds: reader.withDefault(OPTIONS.fullEvery, parseIntervalSeconds),
    overlapSeconds: reader.withDefault(OPTIONS.overlap, parseDurationSeconds),
    discovery: readDiscovery(reading),
    deletions: reader.withDefault(OPTIONS.deletions, parseChoice('apply', 'skip')),
    dryRun: command === 'check' || reader.isOn(OPTIONS.dryRun),
    // Events of any layer may be parked.
    followUps: command === 'retry' || reader.isOn(OPTIONS.followUps),
    listIds: reader.isOn(OPTIONS.ids),
    reopenRefused: reader.isOn(OPTIONS.refused),
    reconcile: !reader.isOn(OPTIONS.noReconcile),
    maxBytesPerSource: reader.withDefault(OPTIONS.maxBytes, parseBytes),
    git: readGit(command, reading),
    forgetParkedSeconds: reader.withDefault(OPTIONS.forgetParked, parseDurationSeconds),
    sample: reader.one(OPTIONS.sample, parsePart),
    copies: reader.one(OPTIONS.copies, parseInteger({ min: 1, max: 50 })),
    shard: readShard(ends.target, reading),
    settleMs: reader.one(OPTIONS.settle, parseRunDurationMs),
    maxSend: reader.one(OPTIONS.maxSend, parseSendLimit),
  }
}

function readEnds(
  command: string,
  { reader, problems, profiles, endsMayBeAbsent = false }: Reading,
): Pick<RunOptions, 'sources' | 'target'> {
  const sources = reader.many(OPTIONS.source, parseEndpoint)
  const target = reader.one(OPTIONS.target, parseEndpoint)
  const isRetry = command === 'retry'
  if (isRetry && target === '-') problems.push('nothing is parked for standard output: retry needs another target')
  if (!isRetry && !endsMayBeAbsent && reader.originOf(OPTIONS.source) === undefined)
    problems.push(missing('source', OPTIONS.source, profiles))
  if (!endsMayBeAbsent && reader.originOf(OPTIONS.target) === undefined)
    problems.push(missing('target', OPTIONS.target, profiles))
  if (target !== undefined && sources.some((source) => isSameEndpoint(source, target))) {
    problems.push(
      `${reader.originOf(OPTIONS.source) ?? ''} names the target itself: a source must be another relay or file`,
    )
  }
  return { sources, target: target ?? '' }
}

/** Shards run at once, and two processes cannot append to one file. */
function readShard(target: string, { reader, problems }: Reading): RunOptions['shard'] {
  const shard = reader.one(OPTIONS.shard, parsePart)
  if (shard !== undefined && target !== '' && !/^wss?:\/\//.test(target))
    problems.push(`${reader.originOf(OPTIONS.shard) ?? ''} needs a relay as the target: shards cannot share a file`)
  return shard
}

/** Options that modify `--discover` are an error without it, unless it was turned off explicitly. */
function readDiscovery({ reader, problems }: Reading): RunOptions['discovery'] {
  const max = reader.withDefault(OPTIONS.discoverMax, parseInteger({ min: 1, max: 1_000 }))
  const allowed = reader.many(OPTIONS.discoverAllow, parseChoice('private', 'insecure'))
  if (reader.isOn(OPTIONS.discover)) {
    return { max, allowPrivate: allowed.includes('private'), allowInsecure: allowed.includes('insecure') }
  }
  const isOff = reader.originOf(OPTIONS.discover) !== undefined
  for (const spec of isOff ? [] : [OPTIONS.discoverMax, OPTIONS.discoverAllow]) {
    const origin = reader.originOf(spec)
    if (origin !== undefined) problems.push(`${origin} has no effect without ${OPTIONS.discover.flag}: give that too`)
  }
  return undefined
}

function readScope({ reader, problems }: Reading): ScopeRequest {
  const addresses = reader.many(OPTIONS.repo, parseRepository)
  const authors = reader.many(OPTIONS.author, parseAuthor)
  const type = reader.withDefault(OPTIONS.scope, parseChoice('auto', 'listed', 'all'))
  const naming = [OPTIONS.repo, OPTIONS.author].find((spec) => reader.originOf(spec) !== undefined)
  if (naming === undefined) return { type }
  if (reader.originOf(OPTIONS.scope) !== undefined) problems.push(conflict(reader, OPTIONS.scope, naming))
  return { type: 'named', addresses, authors }
}

function readRange(command: string, { reader, now, problems }: Reading): Pick<RunOptions, 'since' | 'until' | 'full'> {
  const since = reader.one(OPTIONS.since, (text) => parseTime(text, now))
  const until = reader.one(OPTIONS.until, (text) => parseTime(text, now))
  const full = reader.isOn(OPTIONS.full)
  const [sinceOrigin, untilOrigin] = [reader.originOf(OPTIONS.since), reader.originOf(OPTIONS.until)]
  if (full && sinceOrigin !== undefined) problems.push(conflict(reader, OPTIONS.full, OPTIONS.since))
  if (since !== undefined && until !== undefined && since > until) {
    problems.push(`${sinceOrigin ?? ''} is later than ${untilOrigin ?? ''}: nothing lies between`)
  }
  if (command === 'backfill' && sinceOrigin === undefined && untilOrigin === undefined) {
    problems.push('no window: give --since, --until or both')
  }
  return { since, until, full }
}

function missing(what: string, spec: OptionSpec, profiles: readonly string[] = []): string {
  const shown = profiles.slice(0, 5).map((name) => escapeForTerminal(name, { maxLength: 64 }))
  const hint = profiles.length === 0 ? '' : `; or name a profile: --profile ${shown.join(', ')}`
  return `no ${what}: give ${spec.flag}, ${envNameOf(spec)}, or "${keyOf(spec)}" in the configuration file${hint}`
}
