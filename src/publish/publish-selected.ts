import type { NostrEvent } from '../nostr/event.ts'
import { isHostedPullRequest } from '../nostr/hosted-pull-request.ts'
import { describeRate, projectedMs, type Pacer } from '../relay/pace/pacing.ts'
import { isRead } from '../run/run.ts'
import type { Stop } from '../run/stop.ts'
import { hostOfPullRequests } from '../scope/scope-choice.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import { createStaging } from '../select/publish-order.ts'
import { createOwnerWatch } from './awaits-owner.ts'
import { confirmSent } from './confirm-sent.ts'
import { Doorkeeper } from './door.ts'
import { findNowhere } from './nowhere.ts'
import { refuseWithParents, settleOrphans, type Nowhere } from './orphans.ts'
import { publishReady } from './publish.ts'
import type { PublishingRun } from './publishing-run.ts'
import { giveUpOld, reconsiderRefused, refuseEndless, reviveWaiting } from './revive-parked.ts'
import { SendWindow } from './send-window.ts'
import { shutDoor } from './shut-door.ts'

const LONG_SENDING_MS = 60_000
const LONG_WAIT_SECONDS = 10
/** A few repositories of a shard say less than all of the scope: they are no door. */
const FEWEST_OF_SHARD = 8

/**
 * Sends what is ready at the pace that the target allows, confirms it, and repeats while parents that arrived free
 * events that waited for them. Returns why it stopped early, if it did.
 */
export async function publishSelected(run: PublishingRun): Promise<Stop | undefined> {
  await reconsiderRefused(run)
  await reviveWaiting(run)
  const sending = { ...run, onSent: watchSending(run) }
  do {
    const end = await publishReady(sending)
    if (end.type === 'door') {
      shutDoor(end, run)
      return end
    }
    if (run.world.state.spool.count('confirming') > 0) run.world.tell?.({ type: 'phase', phase: 'confirming' })
    await confirmSent(run)
    if (end.type !== 'sent') return end
  } while ((await reconsiderRefused(run)) + (await reviveWaiting(run)) > 0)
  return undefined
}

/** Returns the run with what publishing remembers between its rounds. */
export function startPublishing(run: ScopedRun): PublishingRun {
  const pacer = run.world.createPacer(run.software)
  const members = run.catalog.members()
  const host = hostOfPullRequests(run.choice.scope, run.target.profile)
  return {
    ...run,
    pacer,
    door: createDoorkeeper(run, pacer),
    window: new SendWindow(),
    blocked: new Map(),
    released: new Set(),
    reopened: new Set(),
    stageOf: createStaging(members).stageOf,
    awaitsOwner: createOwnerWatch(members, run.world.state.spool),
    isHosted: (event: NostrEvent) => host !== undefined && isHostedPullRequest(event, host),
  }
}

function createDoorkeeper({ world, number, choice, catalog, options }: ScopedRun, pacer: Pacer): Doorkeeper {
  const { runs } = world.state
  const { size } = catalog.members().announcements
  const announcements = options.shard === undefined ? size : Math.max(size, FEWEST_OF_SHARD)
  return new Doorkeeper({
    announcements: choice.scope.type === 'listed' ? announcements : Infinity,
    hasAccepted: runs.hasAccepted(),
    onAccepted: () => runs.noteAccepted(number),
    onEnd: () => pacer.stop(),
  })
}

/** Notes how long the rate held it up. Unless it stopped early, judges what is left. */
export async function endPublishing(run: PublishingRun, stop: Stop | undefined): Promise<void> {
  const { pacer, ledger } = run
  if (stop === undefined) await judgeLeft(run)
  const rate = pacer.rate()
  const seconds = Math.round(pacer.waitedMs() / 1000)
  if (rate !== undefined && seconds >= LONG_WAIT_SECONDS) {
    ledger.note(`Sending took ${seconds} s longer because of the rate: ${describeRate(rate)}.`)
  }
}

/** Gives up old parked events, refuses those without a parent left, and explains why the rest waits. */
async function judgeLeft(run: PublishingRun): Promise<void> {
  const { options } = run
  giveUpOld(options.forgetParkedSeconds, run)
  refuseEndless(options.forgetParkedSeconds, run)
  settleOrphans(run, await findAbsent(run))
}

/** Refuses the events whose parents cannot come, as far as sources that were read to their end prove it. */
export async function refuseHopeless(run: PublishingRun): Promise<void> {
  refuseWithParents(run, await findAbsent(run))
}

async function findAbsent(run: PublishingRun): Promise<Nowhere> {
  const isProvable = run.sources.length > 0 && isRead(run)
  return isProvable ? findNowhere(run) : undefined
}

/** Announces the sending, with a forecast if it will take long. Returns what to call for each event sent. */
function watchSending({ world, pacer }: PublishingRun): (event: NostrEvent) => void {
  const { tell, state } = world
  const events = state.spool.count('ready')
  const rate = pacer.rate()
  const durationMs = projectedMs(events, rate)
  const isLong = rate !== undefined && durationMs > LONG_SENDING_MS
  if (events > 0)
    tell?.({ type: 'sending', events, forecast: isLong ? { rate: describeRate(rate), durationMs } : undefined })
  let sent = 0
  return ({ id }) => {
    sent += 1
    tell?.({ type: 'sent', id, sent, total: Math.max(sent, events) })
  }
}
