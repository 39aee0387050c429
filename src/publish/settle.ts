/*
 * Stays after publishing until what waits has settled: events that the target holds back until git data arrives, and
 * those that it takes only later. Their children are sent as they become free. The waiting costs REQs only; nothing is
 * sent again before its time, because that would set back the target's clocks (checkpoint/next-try.ts).
 */
import { nextTryAt } from '../checkpoint/next-try.ts'
import { addressOf, isNewerVersion } from '../nostr/address.ts'
import { findServed, findVersions } from '../relay/holdings.ts'
import { pause } from '../relay/pace/backoff.ts'
import type { Stop } from '../run/stop.ts'
import { noteArrivals } from '../select/reopening.ts'
import type { SpooledEvent } from '../store/spooled-event.ts'
import { stopOf } from './publish.ts'
import { publishSelected, refuseHopeless } from './publish-selected.ts'
import type { PublishingRun } from './publishing-run.ts'
import { reviveWaiting } from './revive-parked.ts'

const PIECE = 250
const FIRST_PAUSE_MS = 2_000
const LONGEST_PAUSE_MS = 20_000

/**
 * Asks the target every few seconds for what waits, until nothing does or `--settle` has passed. Returns why it stopped
 * early, if it did. Throws LostRelayError.
 */
export async function settle(run: PublishingRun): Promise<Stop | undefined> {
  const { world, options } = run
  const { nowMs, signal, deadline, tell } = world
  const endMs = nowMs() + (options.settleMs ?? 0)
  const isOver = AbortSignal.any([signal, deadline])
  const hopeful = new Hopeful(run)
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    const leftMs = endMs - nowMs()
    const { events, repositories } = world.state.waits.countWaiting(world.clock() + leftMs / 1000)
    if (leftMs <= 0) return undefined
    const orphans = events > 0 ? 0 : await hopeful.count()
    if (events + orphans === 0) return undefined
    tell?.({ type: 'waiting', events, repositories, orphans, leftMs })
    await pause(Math.min(pauseMs, leftMs), isOver)
    const stop = stopOf(run)
    if (stop !== undefined) return stop
    const end = await publishFreed(run)
    if (end !== undefined) return end
    // Where one repository arrived, the next is not far.
    if (world.state.waits.countWaiting(world.clock()).events < events) pauseMs = FIRST_PAUSE_MS / 2
  }
}

/** The events that wait for a parent which may still come. */
class Hopeful {
  readonly #run: PublishingRun
  #isJudged = false

  constructor(run: PublishingRun) {
    this.#run = run
  }

  /** Counts them. The others are refused first, as at the end of every run; sources are asked about them once. */
  async count(): Promise<number> {
    const { waits } = this.#run.world.state
    if (waits.countOrphans() > 0 && !this.#isJudged) {
      this.#isJudged = true
      await refuseHopeless(this.#run)
    }
    return waits.countOrphans()
  }
}

/**
 * Settles what the target serves by now, and sends what may be sent by now; also the children of what came there in
 * another way, as what it fetched itself. Returns why it stopped early, if it did.
 */
export async function publishFreed(run: PublishingRun): Promise<Stop | undefined> {
  const changed = (await lookAgain(run)) + (await reviveWaiting(run))
  return changed === 0 ? undefined : publishSelected(run)
}

/** Settles what the target serves by now, and makes ready what may be sent by now. Returns how many events changed. */
async function lookAgain(run: PublishingRun): Promise<number> {
  let count = 0
  for (const piece of run.world.state.spool.inState('parked', PIECE)) {
    // What it would not take from us may have come there in another way.
    const waiting = piece.filter(({ isOrphan }) => !isOrphan)
    if (waiting.length > 0) count += await settlePiece(waiting, run)
  }
  return count
}

async function settlePiece(waiting: readonly SpooledEvent[], run: PublishingRun): Promise<number> {
  const { target, fate, witnesses, stageOf, world } = run
  const { state } = world
  const addresses = waiting.flatMap(({ event }) => addressOf(event) ?? [])
  const [served, versions] = await Promise.all([
    findServed(
      target,
      waiting.map(({ event }) => event.id),
    ),
    // A version that a full second hides is waited for.
    findVersions(target, addresses, () => undefined),
  ])
  const isBeaten = ({ event }: SpooledEvent): boolean => {
    const version = versions.get(addressOf(event) ?? '')
    return version !== undefined && isNewerVersion(version, event)
  }
  const arrived = waiting.filter(({ event }) => served.has(event.id))
  const absent = waiting.filter(({ event }) => !served.has(event.id))
  const beaten = absent.filter(isBeaten)
  const due = absent.filter((spooled) => !isBeaten(spooled) && (nextTryAt(spooled) ?? Infinity) <= world.clock())
  state.transaction(() => {
    for (const spooled of arrived) fate.settle(spooled, 'accepted')
    for (const spooled of beaten) fate.settle(spooled, 'superseded')
    for (const spooled of due) fate.makeReady(spooled, stageOf(spooled.event))
    noteArrivals(arrived, run)
  })
  const shown = arrived.map(({ event }) => event)
  witnesses.add(target.endpoint.url, shown, { isPublished: true })
  return arrived.length + beaten.length + due.length
}
