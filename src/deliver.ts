import { endPublishing, publishSelected, startPublishing } from './publish/publish-selected.ts'
import { settle } from './publish/settle.ts'
import type { Stop } from './run/stop.ts'
import type { ScopedRun } from './scope/scoped-run.ts'

/** Publishes the selected events, and with `--settle` waits for what is held back. Returns why it stopped early. */
export async function deliver(run: ScopedRun): Promise<Stop | undefined> {
  const publishing = startPublishing(run)
  const stop = (await publishSelected(publishing)) ?? (await settle(publishing))
  await endPublishing(publishing, stop)
  return stop
}
