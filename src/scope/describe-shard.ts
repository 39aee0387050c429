import { createHash } from 'node:crypto'
import type { ShardReport } from '../report/report.ts'
import type { RunOptions } from '../report/run-options.ts'
import { scopeKey, type Scope } from './scope.ts'

const DIGITS = 16

/**
 * Returns the shard as the report tells it; null without `--shard`. The plan holds what decides which events a run reads
 * and copies, but neither how fast nor since which checkpoint. A report does not name all of it: repositories may be
 * many.
 */
export function describeShard(options: RunOptions, scope: Scope): ShardReport | null {
  if (options.shard === undefined) return null
  const { command, dryRun, sources, target, since, until, deletions, followUps, discovery, git, sample, copies } =
    options
  const plan = JSON.stringify([
    [command, dryRun, [...sources].sort(), target, scopeKey(scope)],
    [since, until, deletions, followUps, discovery, git, sample, copies],
  ])
  return { ...options.shard, plan: createHash('sha256').update(plan).digest('hex').slice(0, DIGITS) }
}
