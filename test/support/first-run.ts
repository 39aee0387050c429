import { readingFilters, type SmallRepository } from './scenes.ts'
import type { ScriptedRelay } from './scripted-relay.ts'
import type { Workbench } from './workbench.ts'

/** A source whose history was copied in full by a run that is over. */
export async function afterFirstRun(bench: Workbench, { events }: SmallRepository) {
  const [source, target] = await Promise.all([bench.scripted({ events }), bench.real()])
  const { report } = await bench.catchup(source, target)
  source.forgetReceived()
  return { source, target, firstRun: report.startedAt }
}

/** The `since` of every filter that read the source, each once. */
export function allSinces(source: ScriptedRelay): (number | undefined)[] {
  return [...new Set(readingFilters(source).map(({ since }) => since))]
}
