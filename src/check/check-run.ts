import type { ScopedRun } from '../scope/scoped-run.ts'
import { compare, type HeldTally } from './find-missing.ts'

/** A run that compares. */
export type CheckingRun = ScopedRun & { readonly held: HeldTally }

/** Finds what the target lacks; where no source has said anything it stays NOTHING_COMPARED. */
export async function checkRun(run: CheckingRun): Promise<void> {
  const { options, world, knowledge, held, fate } = run
  const { state, onMissing } = world
  const logs = [...run.logs.values()]
  if (!logs.some((log) => log.hasSaidSomething())) return
  const isQuick = logs.some((log) => log.isQuick())
  run.check = await compare({ state, knowledge, held, fate, listIds: options.listIds, isQuick, onMissing })
}
