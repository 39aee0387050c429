import type { NostrEvent } from '../nostr/event.ts'
import { isHostedPullRequest } from '../nostr/hosted-pull-request.ts'
import { describeRate, projectedMs, type Pacer } from '../relay/pace/pacing.ts'
import { isRead } from '../run/run.ts'
import { hostOfPullRequests } from '../scope/scope-choice.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import { createStaging } from '../select/publish-order.ts'
import { selectParked, type SelectContext } from '../select/select.ts'
import { createOwnerWatch } from './awaits-owner.ts'
import { confirmSent } from './confirm-sent.ts'
import { Doorkeeper, type PublishStop } from './door.ts'
import { findNowhere } from './nowhere.ts'
import { settleOrphans } from './orphans.ts'
import { publishReady, WINDOW, type PublishContext } from './publish.ts'
import { giveUpOld, reconsiderRefused, refuseEndless, reviveWaiting, type WaitingContext } from './revive-parked.ts'
import { shutDoor } from './shut-door.ts'

/** A run that sends. */
export type PublishingRun = ScopedRun & { readonly selecting: SelectContext }

const LONG_SENDING_MS = 60_000
const LONG_WAIT_SECONDS = 10

/** The last stage of a run that sends: at the pace that the target allows. */
export async function publishSelected(run: PublishingRun): Promise<PublishStop | undefined> {
  const pacer = run.world.createPacer(run.software)
  const stop = await publishInOrder(run, pacer)
  const rate = pacer.rate()
  const seconds = Math.round(pacer.waitedMs() / 1000)
  if (rate !== undefined && seconds >= LONG_WAIT_SECONDS) {
    run.ledger.note(`Sending took ${seconds} s longer because of the rate: ${describeRate(rate)}.`)
  }
  return stop
}

/** Sends, asks for what was sent, and goes on while parents that arrived free events that waited for them. */
async function publishInOrder(run: PublishingRun, pacer: Pacer): Promise<PublishStop | undefined> {
  const { world, target, ledger, fate, startedAt } = run
  const { state, clock, signal, deadline, verifier } = world
  const waiting = createWaiting(run)
  const { witness } = run.selecting
  const proof = { target, state, verifier, fate, now: startedAt, clock, witness }
  await reconsiderRefused(waiting)
  await reviveWaiting(waiting)
  const onSent = watchSending(run, pacer)
  const { blocked } = waiting
  const door = createDoorkeeper(run, pacer)
  const awaitsOwner = createOwnerWatch(run.knowledge.members(), state.spool)
  const about = { target, state, ledger, fate, pacer, clock, signal, deadline, blocked }
  const host = hostOfPullRequests(run.choice.scope, target.profile)
  const isHosted = (event: NostrEvent): boolean => host !== undefined && isHostedPullRequest(event, host)
  const context: PublishContext = { ...about, door, awaitsOwner, isHosted, onSent }
  do {
    const end = await publishReady(context)
    if (end.type === 'door') {
      shutDoor(end, { state, fate, startedAt })
      return end
    }
    await confirmSent(proof)
    if (end.type !== 'sent') return end
  } while ((await reconsiderRefused(waiting)) + (await reviveWaiting(waiting)) > 0)
  await settleWaiting(run, waiting)
  return undefined
}

function createDoorkeeper({ world, number, choice, knowledge }: PublishingRun, pacer: Pacer): Doorkeeper {
  const { runs } = world.state
  return new Doorkeeper({
    window: WINDOW,
    announcements: choice.scope.type === 'listed' ? knowledge.members().announcements.size : Infinity,
    hasAccepted: runs.hasAccepted(),
    onAccepted: () => runs.noteAccepted(number),
    onEnd: () => pacer.stop(),
  })
}

/** What still waits: it is given up, refused with its parents or because nobody has them, or told what it waits for. */
async function settleWaiting(run: PublishingRun, waiting: WaitingContext): Promise<void> {
  const { options, sources } = run
  giveUpOld(options.forgetParkedSeconds, waiting)
  refuseEndless(options.forgetParkedSeconds, waiting)
  const isProvable = sources.length > 0 && isRead(run)
  const nowhere = isProvable ? await findNowhere({ ...run.selecting, released: waiting.released }) : undefined
  settleOrphans(waiting, nowhere)
}

function createWaiting(run: PublishingRun): WaitingContext {
  const { target, world, fate, startedAt } = run
  return {
    target,
    state: world.state,
    fate,
    now: startedAt,
    blocked: new Map(),
    released: new Set(),
    reopened: new Set(),
    stageOf: createStaging(run.knowledge.members()).stageOf,
    select: (parked) => selectParked(parked, run.selecting),
  }
}

/** Says beforehand when sending will take long. Returns what to call for each event sent. */
function watchSending({ world }: PublishingRun, pacer: Pacer): () => void {
  const { progress, state } = world
  const events = state.spool.count('ready')
  const rate = pacer.rate()
  const durationMs = projectedMs(events, rate)
  if (rate !== undefined && durationMs > LONG_SENDING_MS) {
    progress.longSending({ events, rate: describeRate(rate), durationMs })
  }
  let sent = 0
  return () => progress.sending((sent += 1), events)
}
