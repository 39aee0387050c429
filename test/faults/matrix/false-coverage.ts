import { existsSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'

import type { Database } from '../../../src/database.ts'

import { idsOf, type CheckpointRow } from '../../support/workbench.ts'
import { belongsOf, standsFor } from './scene.ts'
import type { Stage } from './stage.ts'

/**
 * Checkpoints that stand for an event which is neither at the target nor kept on disk with its outcome: there must be
 * none. Those that were there `before` the source got more say nothing of it.
 */
export function findFalseCoverage(stage: Stage, before: readonly CheckpointRow[] = []): CheckpointRow[] {
  const { bench, source, target, truth } = stage
  if (!existsSync(bench.stateFile) || !bench.database(hasTables)) return []
  const kept = bench.spool().filter(({ state }) => state === 'parked' || state === 'refused')
  const settled = new Set([...idsOf(target.events()), ...idsOf(kept)])
  const open = belongsOf(truth).filter(({ id }) => !settled.has(id))
  const moved = bench.checkpoints(source).filter((row) => !before.some((old) => isDeepStrictEqual(old, row)))
  return moved.filter((row) => open.some((event) => standsFor(row, event)))
}

/** A process that was killed early leaves a file without tables. */
function hasTables(db: Database): boolean {
  return db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'coverage'").get() !== undefined
}
