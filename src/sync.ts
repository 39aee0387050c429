/*
 * The story of a run: open → trust → read → select → publish → verify → checkpoint → report. Stages never call each
 * other; values pass through here. What ends the run early ends it with a report: everything selected is parked on disk.
 */
import { askedPeers } from './run/asked-peers.ts'
import { buildReport, exitAfterSignal, isRead } from './build-report.ts'
import { advanceCheckpoint } from './checkpoint/advance.ts'
import { compare } from './check/find-missing.ts'
import { isDeleted } from './withdraw/deletions.ts'
import { createDistrust, distrustClocks, distrustSource, distrustTarget } from './trust/void-checkpoints.ts'
import { nameEmptySources } from './read/emptiness.ts'
import { createOwnerWatch } from './publish/awaits-owner.ts'
import { Doorkeeper, type PublishStop } from './publish/door.ts'
import { refuseEmptyScope } from './scope/empty-scope.ts'
import { LostRelayError, reasonOf, UsageError } from './errors.ts'
import type { NostrEvent } from './nostr/event.ts'
import { isHostedPullRequest } from './nostr/hosted-pull-request.ts'
import { findNowhere } from './publish/nowhere.ts'
import { tryTarget } from './read/narrowness.ts'
import { openRun, type OpenedRun } from './open-run.ts'
import { readParents } from './read/parents.ts'
import { INTERRUPTION, publishReady, WINDOW, type PublishContext } from './publish/publish.ts'
import { readLayers } from './read/reading.ts'
import { isDoorForReading } from './relay/answers.ts'
import { describeLearnt } from './relay/describe-learnt.ts'
import { describeRate, projectedMs, type Pacer } from './relay/pace/pacing.ts'
import type { Report } from './report/report.ts'
import { isWindowed, type RunOptions } from './report/run-options.ts'
import type { World } from './run/world.ts'
import { hostOfPullRequests } from './scope/scope-choice.ts'
import { selectEvents, selectParked, type SelectContext } from './select/select.ts'
import { shutDoor } from './publish/shut-door.ts'
import { settleOrphans } from './publish/orphans.ts'
import { createStaging } from './select/publish-order.ts'
import { hasVanished } from './withdraw/vanish.ts'
import { confirmSent } from './publish/confirm-sent.ts'
import {
  giveUpOld,
  reconsiderRefused,
  refuseEndless,
  reviveWaiting,
  type WaitingContext,
} from './publish/revive-parked.ts'

const LONG_SENDING_MS = 60_000
const LONG_WAIT_SECONDS = 10

/**
 * One run. Returns its report, whatever went wrong on the way; throws SyncError when it cannot begin (the target is
 * unreachable, no scope can be chosen) and UsageError when the scope matches nothing.
 */
export async function sync(options: RunOptions, world: World): Promise<Report> {
  const startedMs = world.nowMs()
  const run = await openRun(options, world)
  let stop: PublishStop | undefined
  try {
    await gather(run)
    await selectEvents(selectionOf(run))
    // What was asked so far is heard out while events are sent: that may take as long as --max-duration allows.
    const [end] = await Promise.all([finish(run), settleOpen(run)])
    stop = end
    await settleAsides(run)
  } catch (error) {
    if (!(error instanceof LostRelayError)) {
      endThrown(run, error, world.nowMs() - startedMs)
      throw error
    }
    stop = world.signal.aborted ? INTERRUPTION : stopOf(error)
    run.wasCutShort = true
    run.fate.recover(stop.reason)
  }
  if (!run.wasCutShort) moveCheckpoints(run)
  noteLimits(run)
  const report = buildReport(run, stop, world.nowMs() - startedMs)
  endRun(run, report)
  return report
}

/** The target stopped answering, or does not answer us. */
function stopOf(error: LostRelayError): PublishStop {
  const reason = reasonOf(error)
  return { type: isDoorForReading(reason) ? 'door' : 'stopped', reason }
}

/** Relays that limit questions make a run long; without a word nobody would know why. */
function noteLimits({ target, sources, ledger }: OpenedRun): void {
  for (const { endpoint } of [target, ...sources.map(({ peer }) => peer)]) {
    for (const limit of describeLearnt(endpoint.learntLimits?.() ?? {})) ledger.note(`${endpoint.url} ${limit}`)
    const seconds = Math.round((endpoint.waitedMs?.() ?? 0) / 1000)
    if (seconds < LONG_WAIT_SECONDS) continue
    ledger.note(`Asking ${endpoint.url} took ${seconds} s longer: it limits how many questions it answers.`)
  }
}

/** Brings into the spool what may have to be sent: what the sources have, or, for a retry, what is there already. */
async function gather(run: OpenedRun): Promise<void> {
  const { options, fate } = run
  if (options.command !== 'retry') {
    await trust(run)
    await readLayers(run.reading)
    await tryTarget(run.target, run.reading)
    await nameEmptySources(run)
    if (isWindowed(options)) await readParents(run.reading)
    await refuseEmptyScope(run)
  } else if (options.reopenRefused) {
    fate.reopenAll()
  }
}

/** Before any `since` is used: do clocks agree, and do target and sources still show what they showed? */
async function trust(run: OpenedRun): Promise<void> {
  const { target, sources } = run
  const context = createDistrust(run)
  await distrustTarget(target, context)
  for (const source of sources) await distrustSource(source, context)
  distrustClocks(
    target,
    sources.map(({ peer }) => peer),
    context,
  )
}

/** The last stage: publish, or only tell what would be sent, or what is missing. */
async function finish(run: OpenedRun): Promise<PublishStop | undefined> {
  const { options, world, knowledge, held, fate } = run
  if (!options.dryRun) return publish(run)
  const { state, onMissing } = world
  if (options.command === 'check') {
    // Before that it stays NOTHING_COMPARED.
    const isCompared = [...run.logs.values()].some((log) => log.hasSaidSomething())
    const isQuick = [...run.logs.values()].some((log) => log.isQuick())
    const context = { state, knowledge, held, fate, listIds: options.listIds, isQuick, onMissing }
    if (isCompared) run.check = await compare(context)
  } else {
    countUnsent(run)
  }
  return undefined
}

function countUnsent({ world, ledger }: OpenedRun): void {
  for (const piece of world.state.spool.inState('ready', 500)) {
    for (const { layer } of piece) ledger.count(layer, 'published')
  }
}

/** The last stage of a run that sends: at the pace that the target allows. */
async function publish(run: OpenedRun): Promise<PublishStop | undefined> {
  const pacer = run.world.createPacer(run.software)
  const stop = await publishInOrder(run, pacer)
  // A target that showed nothing serves by now what it was sent: does it answer the questions that brought nothing?
  const { breadth } = run.target
  if (stop === undefined && breadth.hasShown && breadth.unproven().length > 0) await tryTarget(run.target, run.reading)
  const rate = pacer.rate()
  const seconds = Math.round(pacer.waitedMs() / 1000)
  if (rate !== undefined && seconds >= LONG_WAIT_SECONDS) {
    run.ledger.note(`Sending took ${seconds} s longer because of the rate: ${describeRate(rate)}.`)
  }
  return stop
}

/** Sends, asks for what was sent, and goes on while parents that arrived free events that waited for them. */
async function publishInOrder(run: OpenedRun, pacer: Pacer): Promise<PublishStop | undefined> {
  const { world, target, ledger, fate, startedAt } = run
  const { state, clock, signal, deadline, verifier } = world
  const waiting = createWaiting(run)
  const { witness } = run.reading
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

/**
 * What was answered beside the layers may be taken back as well: then that source was not read to its end, or what the
 * target knows of deletions and of newer versions may have been missed.
 */
async function settleAsides(run: OpenedRun): Promise<void> {
  await settleOpen(run)
  const { sources, targetAside, targetGaps, world } = run
  if (targetAside.contradiction !== undefined) {
    targetGaps.note(`its answers about deletions and versions: ${targetAside.contradiction}`)
    world.state.checkpoints.holdBack()
  }
  for (const { peer, log, aside } of sources) {
    if (aside.contradiction === undefined) continue
    log.fail(aside.contradiction)
    world.state.checkpoints.noteAllOpen(peer.endpoint.url)
  }
}

/** Waits, at all relays at once, until no answer that was given beside the layers can be taken back any more. */
async function settleOpen({ sources, target, targetAside }: OpenedRun): Promise<void> {
  const asked = [{ peer: target, aside: targetAside }, ...sources]
  const open = asked.filter(({ aside }) => aside.isOpen)
  await Promise.all(open.map(async ({ peer }) => peer.endpoint.settleEnds?.()))
}

function createDoorkeeper({ world, number, choice, knowledge }: OpenedRun, pacer: Pacer): Doorkeeper {
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
async function settleWaiting(run: OpenedRun, waiting: WaitingContext): Promise<void> {
  const { options, sources } = run
  giveUpOld(options.forgetParkedSeconds, waiting)
  refuseEndless(options.forgetParkedSeconds, waiting)
  const isProvable = sources.length > 0 && isRead(run)
  const nowhere = isProvable ? await findNowhere({ ...selectionOf(run), released: waiting.released }) : undefined
  settleOrphans(waiting, nowhere)
}

function createWaiting(run: OpenedRun): WaitingContext {
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
    select: (parked) => selectParked(parked, selectionOf(run)),
  }
}

function selectionOf({ reading, selection, knowledge, sources }: OpenedRun): SelectContext {
  const peers = askedPeers(sources)
  return {
    ...reading,
    ...selection,
    peers,
    get members() {
      return knowledge.members()
    },
  }
}

/** Says beforehand when sending will take long. Returns what hears of each event sent. */
function watchSending({ world }: OpenedRun, pacer: Pacer): () => void {
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

/** Moves last, and only on proof (rule 2): everything fetched is settled or parked on disk by now. */
function moveCheckpoints(run: OpenedRun): void {
  const { options, world, sources, startedAt, knowledge } = run
  const { state } = world
  if (options.dryRun) return
  state.transaction(() => saveWitnesses(run))
  const copiesEverything = options.command === 'catchup' && options.until === undefined && options.deletions === 'apply'
  if (!copiesEverything) return
  const { overlapSeconds } = options
  state.transaction(() => {
    for (const { peer } of sources.filter((source) => source.peer.endpoint.kind === 'relay')) {
      for (const read of state.checkpoints.reads(peer.endpoint.url)) {
        if (!knowledge.isOfMembers(read.layer, read.anchor)) {
          state.checkpoints.forget(peer.endpoint.url, read.layer, read.anchor)
          continue
        }
        const after = advanceCheckpoint(read, read.before, { startedAt, overlapSeconds })
        const hadEvents = read.hadEvents || read.before?.hadEvents === true
        if (after !== undefined)
          state.checkpoints.save(peer.endpoint.url, read.layer, read.anchor, { ...after, hadEvents })
      }
    }
  })
}

/** What an author took back, or this run has deleted at the target, bears no witness. */
function saveWitnesses({ witnesses, world, knowledge, startedAt }: OpenedRun): void {
  const { witnesses: store, run } = world.state
  witnesses.save(store, startedAt, {
    repositoriesOf: (event) => knowledge.repositoriesOf(event),
    isWithdrawn: (event) => isDeleted(event, run) || hasVanished(event, run),
  })
}

function endRun({ world, number }: OpenedRun, report: Report): void {
  const { exit, durationMs, totals } = report
  world.state.runs.end(number, { durationMs, exit, published: totals.published, parked: totals.parked })
}

/** In the history a run without an end was killed; this one was not. */
function endThrown({ world, number }: OpenedRun, error: unknown, durationMs: number): void {
  const exit = exitAfterSignal(world.signal) ?? (error instanceof UsageError ? 2 : 1)
  world.state.runs.end(number, { durationMs, exit, published: 0, parked: world.state.spool.count('parked') })
}
