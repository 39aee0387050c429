/*
 * Sends what was selected: stage by stage, parents first, oldest first, with a bounded window in flight. A stage starts
 * when every OK of the one before is in, because some relays handle each message on its own thread. Every answer goes
 * to the spool; nothing is settled here on an OK alone (confirm-sent.ts asks for the event again).
 */
import { isLastTry } from '../checkpoint/next-try.ts'
import { addressOf } from '../nostr/address.ts'
import { isExpired, type NostrEvent } from '../nostr/event.ts'
import { KIND } from '../nostr/kinds.ts'
import { parentsOf } from '../nostr/references.ts'
import { classifyAnswer, type Classification } from '../relay/answers.ts'
import type { Answer } from '../relay/endpoint.ts'
import { stopOfTime, type Stop } from '../run/stop.ts'
import type { World } from '../run/world.ts'
import type { SpooledEvent } from '../store/spooled-event.ts'
import { AnswerPen } from './answer-pen.ts'
import { Flight } from './flight.ts'
import type { PublishingRun } from './publishing-run.ts'
import { SiblingTurns } from './sibling-turns.ts'

/** The part of a run that sending needs. */
export type SendingRun = Pick<
  PublishingRun,
  'target' | 'ledger' | 'fate' | 'pacer' | 'door' | 'window' | 'blocked' | 'awaitsOwner' | 'isHosted'
> & {
  readonly world: Pick<World, 'state' | 'clock' | 'nowMs' | 'signal' | 'deadline' | 'tell'>
  /** Called for each event that was sent. */
  readonly onSent: (event: NostrEvent) => void
}

/**
 * How publishing ended: everything was sent; the target refused us (`door`, in its words); it went away; or time was
 * up.
 */
export type PublishEnd = { readonly type: 'sent' } | Stop

const PIECE = 500
const BYTES_PER_CHARACTER = 3
/** More than what a frame has around its event. */
const FRAME_BYTES = 16

/** Sends every ready event. Parks those that are not sent because publishing stopped. */
export async function publishReady(run: SendingRun): Promise<PublishEnd> {
  const { spool } = run.world.state
  for (let step = spool.firstStep(); step !== undefined; step = spool.firstStep()) {
    await publishStep(spool.inStep(step, PIECE), run)
    const end = stopOf(run)
    if (end === undefined) continue
    parkReady(end.reason, run)
    return end
  }
  return { type: 'sent' }
}

type SendingStop = Pick<SendingRun, 'door'> & { readonly world: Pick<World, 'signal' | 'deadline'> }

/** Why nothing more is sent; `undefined` while sending goes on. */
export function stopOf({ door, world }: SendingStop): Stop | undefined {
  return door.end ?? stopOfTime(world)
}

type Verdict = Extract<Classification, { type: 'outcome' }>
/** Writes what became of an event. */
type Decision = () => void

/** Sends the events of one stage and level. Returns when all answers are on disk. */
async function publishStep(pieces: Iterable<readonly SpooledEvent[]>, run: SendingRun): Promise<void> {
  const pen = new AnswerPen(run.world.state.transaction)
  const turns = new SiblingTurns()
  const flight = new Flight(run.window)
  const publish = async (spooled: SpooledEvent): Promise<void> => {
    const decision = await turns.inTurn(spooled.event, () => publishOne(spooled, run))
    if (decision !== undefined) pen.add(decision)
  }
  try {
    for (const spooled of eachOf(pieces)) {
      await flight.room()
      if (stopOf(run) !== undefined) break
      flight.start(spooled.size, publish(spooled))
    }
  } finally {
    await flight.landed().finally(() => pen.flush())
  }
}

function* eachOf<T>(pieces: Iterable<readonly T[]>): Generator<T> {
  for (const piece of pieces) yield* piece
}

/** Sends an event. Returns what to write about it; `undefined` when publishing stopped before it was sent. */
async function publishOne(spooled: SpooledEvent, run: SendingRun): Promise<Decision | undefined> {
  const { event, isOrphan } = spooled
  const { fate, world } = run
  if (isExpired(event, world.clock())) return () => fate.settle(spooled, 'expired')
  const blocked = isOrphan && isLastTry(spooled, world.clock()) ? undefined : blockedBy(event, run)
  if (blocked !== undefined) {
    run.blocked.set(addressOf(event) ?? event.id, blocked)
    return () => fate.park(spooled, { outcome: 'waiting', reason: blocked, isOrphan: true })
  }
  const tooLarge = excessOf(spooled, run)
  if (tooLarge !== undefined) return () => fate.refuse(spooled, 'too-large', { reason: tooLarge })
  const sent = await sendPaced(event, run)
  if (sent === undefined) return undefined
  if (sent.type === 'expired') return () => fate.settle(spooled, 'expired')
  const { answer, meaning } = sent
  run.door.note(event, answer, meaning)
  if (answer.type === 'unanswered' && answer.isUnsent === true) {
    return () => fate.park(spooled, { outcome: 'unsent', reason: answer.reason, isOrphan })
  }
  const decision = decide(spooled, answer, meaning, run)
  return () => {
    noteSent(spooled, run)
    decision()
  }
}

/** Counts events, not sends: an event that was freed after a refusal is sent once more. */
function noteSent({ event, layer }: SpooledEvent, { world, ledger, onSent }: SendingRun): void {
  if (!world.state.run.markSent(event.id)) return
  onSent(event)
  ledger.count(layer, 'published')
}

/** The answer to an event that was sent, and its meaning. */
type Sent = {
  readonly type: 'sent'
  readonly answer: Exclude<Answer, { type: 'expired' }>
  readonly meaning: Classification | undefined
}

/**
 * Sends an event, again and again while the relay only asks for patience. `undefined`: publishing stopped before an
 * answer. `expired`: its time passed before its turn came.
 */
async function sendPaced(event: NostrEvent, run: SendingRun): Promise<Sent | { readonly type: 'expired' } | undefined> {
  const { target, pacer, door, window } = run
  const { clock, nowMs } = run.world
  const isOver = (): boolean => isExpired(event, clock())
  for (;;) {
    const turn = await pacer.turn()
    if (stopOf(run) !== undefined) return undefined
    const sentMs = nowMs()
    const answer: Answer = isOver() ? { type: 'expired' } : await target.endpoint.publish(event, isOver)
    if (answer.type === 'expired') {
      pacer.taken(turn)
      return answer
    }
    if (answer.type === 'unanswered') {
      window.noteTrouble()
      return { type: 'sent', answer, meaning: undefined }
    }
    window.noteAnswer(nowMs() - sentMs)
    const meaning = classifyAnswer({ ...answer, event, now: clock() })
    if (meaning.type !== 'rate-limited') {
      pacer.taken(turn)
      return { type: 'sent', answer, meaning }
    }
    window.noteTrouble()
    if (!pacer.slowDown(turn)) continue
    door.noteComplaint(answer.text)
    run.world.tell?.({ type: 'slow-down', relay: target.endpoint.url, reason: answer.text })
  }
}

/** Decides by the answer whether to ask for the event, try it again, or refuse it. */
function decide(
  spooled: SpooledEvent,
  answer: Sent['answer'],
  meaning: Classification | undefined,
  run: SendingRun,
): Decision {
  const { event } = spooled
  const { fate } = run
  const reason = answer.type === 'ok' ? answer.text : answer.reason
  if (meaning === undefined) return () => fate.confirmLater(spooled, { outcome: 'unanswered', reason })
  if (meaning.type !== 'outcome') return () => fate.park(spooled, { outcome: 'unsent', reason, wasSent: true })
  if (meaning.isUnlisted === true && run.awaitsOwner(event)) {
    return wait(spooled, reason, { ...meaning, orphan: 'alone' }, run)
  }
  const { outcome } = meaning
  const isYes = answer.type === 'ok' && answer.accepted
  const lastOkAt = isYes ? run.world.clock() : undefined
  switch (outcome) {
    case 'pending':
      run.blocked.set(addressOf(event) ?? event.id, reason)
      return () => fate.confirmLater(spooled, { outcome, reason, lastOkAt })
    case 'accepted':
    case 'duplicate':
    case 'superseded':
      return () => fate.confirmLater(spooled, { outcome, reason, lastOkAt })
    case 'waiting':
    case 'unanswered':
    case 'unsent':
      return wait(spooled, reason, meaning, run)
    default:
      return () => fate.refuse(spooled, outcome, { reason, wasSent: true })
  }
}

/**
 * Returns why an event is too large to be sent; `undefined` when it is not. A relay hangs up on a message that is
 * longer than it allows, and others are lost with it.
 */
function excessOf({ event, size }: SpooledEvent, { target }: SendingRun): string | undefined {
  const { maxMessageBytes = Infinity } = target.profile
  const { maxEventBytes = Infinity } = target.limits
  // No character takes more than three bytes, so most events need not be written out to be measured.
  if (size * BYTES_PER_CHARACTER + FRAME_BYTES <= Math.min(maxMessageBytes, maxEventBytes)) return undefined
  if (maxEventBytes < Infinity && Buffer.byteLength(JSON.stringify(event)) > maxEventBytes)
    return `larger than the ${maxEventBytes} bytes that an event may have at the target`
  const isLarger = maxMessageBytes < Infinity && Buffer.byteLength(JSON.stringify(['EVENT', event])) > maxMessageBytes
  return isLarger ? `larger than the ${maxMessageBytes} bytes that the target allows` : undefined
}

/** Lets an event wait. Its children wait as well; so do its siblings, if the refusal is about their parent. */
function wait(spooled: SpooledEvent, reason: string, meaning: Verdict, { blocked, fate }: SendingRun): Decision {
  const { event } = spooled
  blocked.set(addressOf(event) ?? event.id, reason)
  if (meaning.orphan === 'siblings') for (const anchor of parentsOf(event)) blocked.set(anchor, reason)
  const isOrphan = meaning.orphan !== undefined
  const isError = meaning.error === true || !meaning.known
  const why = { outcome: 'waiting', reason, isOrphan, isError, retryAt: meaning.retryAt } as const
  // confirm-sent.ts checks whether a newer version explains the error, and whether errors have lasted long enough.
  return isError ? () => fate.confirmLater(spooled, why) : () => fate.park(spooled, { ...why, wasSent: true })
}

/**
 * Returns why an event must wait unsent: all its parents are blocked. A state need not: it travels with its
 * announcement, and it alone allows the git data to be pushed that both wait for. Nor need an event that the target
 * hosts without a parent.
 */
function blockedBy(event: NostrEvent, { blocked, isHosted }: SendingRun): string | undefined {
  if (event.kind === KIND.state || isHosted(event)) return undefined
  const anchors = parentsOf(event)
  const reasons = anchors.map((anchor) => blocked.get(anchor))
  return anchors.length > 0 && reasons.every((reason) => reason !== undefined) ? reasons[0] : undefined
}

function parkReady(reason: string, { world: { state }, fate }: SendingRun): void {
  for (const piece of state.spool.inState('ready', PIECE)) {
    state.transaction(() => {
      for (const spooled of piece) fate.park(spooled, { outcome: 'unsent', reason })
    })
  }
}
