import { LostRelayError, SyncError } from '../errors.ts'
import { findServed } from '../relay/holdings.ts'
import { pause } from '../relay/pace/backoff.ts'
import { createPeer, type Peer } from '../relay/peer.ts'
import type { Serving } from '../run/world.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import { concludeProof, explainAbsence, type Proof } from '../select/proof.ts'
import { noteArrivals } from '../select/reopening.ts'
import type { SpooledEvent } from '../store/spooled-event.ts'
import { StateSender } from './state-sender.ts'
import { Waker } from './waker.ts'

const PIECE = 1_000
const FIRST_WAIT_MS = 1_000
const MAX_WAIT_MS = 30_000
/** Kinds of what is lacking that are told: there may be thousands. */
const MAX_KINDS = 10

/**
 * Asks the target for everything that it lacked, again and again, and settles what it serves. Returns when nothing is
 * left, or the run has to end. A target that does not answer is asked later: it may be restarting.
 */
export async function watchTarget(serving: Serving, run: ScopedRun): Promise<void> {
  const { nowMs, signal, deadline } = run.world
  const end = AbortSignal.any([signal, deadline])
  const total = countLeft(run)
  const sight = new Sight(serving)
  const sender = new StateSender(serving, run)
  const waker = new Waker(serving.relay, run)
  let lacking = new Map<number, number>()
  let waitMs = FIRST_WAIT_MS
  let hasProgressed = false
  tellServed(serving, run, { total, lacking })
  try {
    while (!end.aborted) {
      const before = countLeft(run)
      const beganMs = nowMs()
      let askedMs = 0
      // What is not served is explained when nothing comes any more: that costs more questions.
      const isExplained = !hasProgressed
      hasProgressed = false
      await sight.look(async (target) => {
        const found = new Map<number, number>()
        await settleServed({ ...run, target }, { end, isExplained, sender, lacking: found })
        lacking = found
        askedMs = nowMs() - beganMs
        hasProgressed = await sender.send(target, end)
      })
      const left = countLeft(run)
      tellServed(serving, run, { total, lacking })
      if (left === 0) return
      hasProgressed ||= left < before
      waker.note(hasProgressed)
      waitMs = hasProgressed ? FIRST_WAIT_MS : Math.min(MAX_WAIT_MS, waitMs * 2)
      // At most half of the time is spent on questions.
      await pause(Math.max(waitMs, askedMs), end)
    }
  } finally {
    await sight.close()
  }
}

type Course = { readonly total: number; readonly lacking: ReadonlyMap<number, number> }

function tellServed({ relay }: Serving, run: ScopedRun, { total, lacking }: Course): void {
  const counts = [...lacking].map(([kind, count]) => ({ kind, count })).sort((a, b) => b.count - a.count)
  run.world.tell?.({
    type: 'served',
    served: total - countLeft(run),
    total,
    lacking: counts.slice(0, MAX_KINDS),
    isVisited: relay.wasVisited,
  })
}

function countLeft({ world: { state } }: ScopedRun): number {
  return state.spool.count('ready') + state.spool.count('parked')
}

/** A connection to the target for questions, made anew when it was lost. */
class Sight {
  readonly #serving: Serving
  #peer: Peer | undefined

  constructor(serving: Serving) {
    this.#serving = serving
  }

  /** Asks something of the target; does nothing while it is away. */
  async look(ask: (target: Peer) => Promise<void>): Promise<void> {
    try {
      this.#peer ??= await this.#connect()
      await ask(this.#peer)
    } catch (error) {
      if (!(error instanceof LostRelayError) && !(error instanceof SyncError)) throw error
      await this.close()
    }
  }

  async close(): Promise<void> {
    await this.#peer?.endpoint.close()
    this.#peer = undefined
  }

  async #connect(): Promise<Peer> {
    const endpoint = await this.#serving.connectTarget()
    try {
      return createPeer(endpoint, await endpoint.open())
    } catch (error) {
      await endpoint.close()
      throw error
    }
  }
}

type Looking = {
  readonly end: AbortSignal
  readonly isExplained: boolean
  readonly sender: StateSender
  /** Counts by kind what is not served. */
  readonly lacking: Map<number, number>
}

/** Settles what the target serves now, and with `isExplained` also what it will never serve. Throws LostRelayError. */
async function settleServed(run: ScopedRun, looking: Looking): Promise<void> {
  for (const state of ['ready', 'parked'] as const) {
    for (const piece of run.world.state.spool.inState(state, PIECE)) {
      if (looking.end.aborted) return
      await settlePiece(piece, run, looking)
    }
  }
}

async function settlePiece(
  piece: readonly SpooledEvent[],
  run: ScopedRun,
  { isExplained, sender, lacking }: Looking,
): Promise<void> {
  const { target, fate, witnesses } = run
  const served = await findServed(
    target,
    piece.map(({ event }) => event.id),
  )
  const proofs = new Map<string, Proof>([...served].map((id) => [id, 'accepted']))
  const absent = piece.filter(({ event }) => !served.has(event.id))
  if (isExplained && absent.length > 0) await explainAbsence(absent, proofs, run)
  const arrived = piece.filter(({ event }) => served.has(event.id))
  witnesses.add(
    target.endpoint.url,
    arrived.map(({ event }) => event),
    { isPublished: true },
  )
  run.world.state.transaction(() => {
    for (const spooled of piece) {
      const proof = proofs.get(spooled.event.id)
      if (proof !== undefined) concludeProof(spooled, proof, fate)
    }
    noteArrivals(arrived, run)
  })
  const lacked = absent.filter(({ event }) => !proofs.has(event.id))
  for (const { event } of lacked) lacking.set(event.kind, (lacking.get(event.kind) ?? 0) + 1)
  sender.note(lacked)
}
