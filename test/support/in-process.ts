import type { World } from '../../src/run/world.ts'
import { createVerifier } from '../../src/nostr/verifier.ts'
import { createPacer } from '../../src/relay/pace/pacing.ts'
import type { Endpoint } from '../../src/relay/endpoint.ts'
import type { Report } from '../../src/report/report.ts'
import type { RunEvent } from '../../src/run-event.ts'
import type { RunOptions } from '../../src/report/run-options.ts'
import type { TargetState } from '../../src/store/target-state.ts'
import { sync } from '../../src/sync.ts'

/** One run without a process around it. `now` in Unix seconds. */
export type InProcessRun = {
  readonly sources: readonly Endpoint[]
  readonly target: Endpoint
  readonly state: TargetState
  readonly options?: Partial<RunOptions>
  /** What discovery reaches. @default nobody */
  readonly strangers?: World['strangers']
  /** @default 2025-06-15 */
  readonly now?: number
  readonly serving?: World['serving']
  /** @default never */
  readonly deadline?: AbortSignal
  /** Told what happens; may move the clock on by so many milliseconds. */
  readonly tell?: (event: RunEvent) => number
}

const DAY = 86_400

/** Runs `catchup`, or another command, in this process, between endpoints of the test. */
export async function runInProcess({
  sources,
  target,
  state,
  options,
  strangers = NO_STRANGERS,
  now = 1_750_000_000,
  serving,
  deadline = new AbortController().signal,
  tell,
}: InProcessRun): Promise<Report> {
  const verifier = createVerifier({ workers: 0 })
  const { signal } = new AbortController()
  let sleptMs = 0
  const nowMs = (): number => now * 1_000 + sleptMs
  /** Time passes at once. */
  const sleep = async (ms: number): Promise<void> => void (sleptMs += ms)
  const world: World = {
    target,
    sources,
    state,
    verifier,
    createPacer: () => createPacer({ rate: undefined, nowMs, sleep, signal }),
    clock: () => now,
    nowMs,
    signal,
    deadline,
    strangers,
    ...(serving && { serving }),
    ...(tell && { tell: (event) => void (sleptMs += tell(event)) }),
  }
  try {
    return await sync({ ...DEFAULTS, sources: sources.map(({ url }) => url), target: target.url, ...options }, world)
  } finally {
    await verifier.close()
  }
}

const NO_STRANGERS: World['strangers'] = {
  addressesOf: async () => [],
  open: (url) => {
    throw new Error(`no stranger is reached here: ${url}`)
  },
}

const DEFAULTS: RunOptions = {
  command: 'catchup',
  sources: [],
  target: '',
  scope: { type: 'all' },
  service: undefined,
  since: undefined,
  until: undefined,
  full: false,
  quickWindowSeconds: 900,
  fullEverySeconds: DAY,
  overlapSeconds: 900,
  discovery: undefined,
  deletions: 'apply',
  followUps: false,
  dryRun: false,
  listIds: false,
  reconcile: true,
  reopenRefused: false,
  maxBytesPerSource: 2 ** 31,
  sample: undefined,
  copies: undefined,
  shard: undefined,
  git: undefined,
  maxSend: undefined,
  forgetParkedSeconds: 30 * DAY,
  settleMs: undefined,
}
