/*
 * Sending what was selected: stage by stage, parents first, oldest first, a bounded window in flight. A stage starts
 * when every OK of the one before is in, because some relays handle each message on its own thread. Every answer goes
 * to the spool; nothing is settled here on an OK alone (confirm-sent.ts asks for it again).
 */
import { AnswerPen } from './answer-pen.ts'
import type { Doorkeeper, PublishStop } from './door.ts'
import { INTERRUPTED, reasonOf } from '../errors.ts'
import type { Fate } from '../run/fate.ts'
import type { Ledger } from '../run/ledger.ts'
import { isExpired, type NostrEvent } from '../nostr/event.ts'
import { addressOf } from '../nostr/address.ts'
import { KIND } from '../nostr/kinds.ts'
import { parentsOf } from '../nostr/references.ts'
import { isLastTry } from '../checkpoint/next-try.ts'
import { classifyAnswer, type Classification } from '../relay/answers.ts'
import type { Answer } from '../relay/endpoint.ts'
import type { Pacer } from '../relay/pace/pacing.ts'
import type { Peer } from '../relay/peer.ts'
import type { SpooledEvent } from '../store/spooled-event.ts'
import type { TargetState } from '../store/target-state.ts'
import type { Clock } from '../time.ts'
import { SiblingTurns } from './sibling-turns.ts'

/**
 * What publishing needs. `blocked` holds anchors that the target does not accept children of; it and the `door` are
 * kept over the run.
 */
export type PublishContext = {
  readonly door: Doorkeeper
  readonly target: Peer
  readonly state: TargetState
  readonly ledger: Ledger
  readonly fate: Fate
  readonly pacer: Pacer
  readonly clock: Clock
  readonly signal: AbortSignal
  /** No event is sent once it is aborted; its reason says why. */
  readonly deadline: AbortSignal
  readonly blocked: Map<string, string>
  /** Whether an announcement that does not name the target may be taken later, for the sake of another. */
  readonly awaitsOwner: (event: NostrEvent) => boolean
  /** Whether the target hosts an event whatever it depends on. */
  readonly isHosted: (event: NostrEvent) => boolean
  readonly onSent: () => void
}

/**
 * How publishing ended: everything was sent; the target refused us (`door`, in its words); it went away; or time was
 * up.
 */
export type PublishEnd = { readonly type: 'sent' } | PublishStop

/** Events in flight. */
export const WINDOW = 64
const BATCH = 500
/** A signal came. */
export const INTERRUPTION: PublishStop = { type: 'interrupted', reason: INTERRUPTED }

/** Sends every ready event. What is not sent because publishing stopped is parked. */
export async function publishReady(context: PublishContext): Promise<PublishEnd> {
  const { state } = context
  for (let batch = state.spool.nextReady(BATCH); batch.length > 0; batch = state.spool.nextReady(BATCH)) {
    await publishBatch(batch, context)
    const end = stopOf(context)
    if (end === undefined) continue
    parkReady(end.reason, context)
    return end
  }
  return { type: 'sent' }
}

/** Why nothing more is sent; `undefined` while it goes on. */
function stopOf({ door, signal, deadline }: PublishContext): PublishStop | undefined {
  if (door.end !== undefined) return door.end
  if (signal.aborted) return INTERRUPTION
  return deadline.aborted ? { type: 'deadline', reason: reasonOf(deadline.reason) } : undefined
}

type Verdict = Extract<Classification, { type: 'outcome' }>
/** Writes what became of an event. */
type Decision = () => void

async function publishBatch(batch: readonly SpooledEvent[], context: PublishContext): Promise<void> {
  const pen = new AnswerPen(context.state.transaction)
  const turns = new SiblingTurns()
  const queue = batch.values()
  const worker = async (): Promise<void> => {
    for (const spooled of queue) {
      const decision = await turns.inTurn(spooled.event, () => publishOne(spooled, context))
      if (decision === undefined) return
      pen.add(decision)
    }
  }
  const workers = await Promise.allSettled(Array.from({ length: WINDOW }, worker))
  pen.flush()
  for (const worker of workers) if (worker.status === 'rejected') throw worker.reason
}

/** What becomes of an event; `undefined` when it was not sent because publishing stopped. */
async function publishOne(spooled: SpooledEvent, context: PublishContext): Promise<Decision | undefined> {
  const { event, isOrphan } = spooled
  const { fate, clock } = context
  if (isExpired(event, clock())) return () => fate.settle(spooled, 'expired')
  const blocked = isOrphan && isLastTry(spooled, clock()) ? undefined : blockedBy(event, context)
  if (blocked !== undefined) {
    context.blocked.set(addressOf(event) ?? event.id, blocked)
    return () => fate.park(spooled, { outcome: 'waiting', reason: blocked, isOrphan: true })
  }
  const tooLarge = excessOf(event, context)
  if (tooLarge !== undefined) return () => fate.refuse(spooled, 'too-large', { reason: tooLarge })
  const sent = await sendPaced(event, context)
  if (sent === undefined) return undefined
  if (sent.type === 'expired') return () => fate.settle(spooled, 'expired')
  const { answer, meaning } = sent
  context.door.note(event, answer, meaning)
  if (answer.type === 'unanswered' && answer.isUnsent === true) {
    return () => fate.park(spooled, { outcome: 'unsent', reason: answer.reason, isOrphan })
  }
  noteSent(spooled, context)
  return decide(spooled, answer, meaning, context)
}

/** Counts events, not sends: what was freed after a refusal is sent once more. */
function noteSent({ event, layer }: SpooledEvent, { state, ledger, onSent }: PublishContext): void {
  if (!state.run.markSent(event.id)) return
  onSent()
  ledger.count(layer, 'published')
}

/** An event that was sent, and what was said to it. */
type Sent = {
  readonly type: 'sent'
  readonly answer: Exclude<Answer, { type: 'expired' }>
  readonly meaning: Classification | undefined
}

/**
 * Sends an event, waits and repeats while the relay only asks for patience; `undefined` when publishing stopped before
 * an answer, `expired` when its time passed before its turn came.
 */
async function sendPaced(
  event: NostrEvent,
  context: PublishContext,
): Promise<Sent | { readonly type: 'expired' } | undefined> {
  const { target, pacer, clock, door } = context
  const isOver = (): boolean => isExpired(event, clock())
  for (;;) {
    const turn = await pacer.turn()
    if (stopOf(context) !== undefined) return undefined
    const answer: Answer = isOver() ? { type: 'expired' } : await target.endpoint.publish(event, isOver)
    if (answer.type === 'expired') {
      pacer.taken(turn)
      return answer
    }
    if (answer.type === 'unanswered') return { type: 'sent', answer, meaning: undefined }
    const meaning = classifyAnswer({ ...answer, event, now: clock() })
    if (meaning.type !== 'rate-limited') {
      pacer.taken(turn)
      return { type: 'sent', answer, meaning }
    }
    if (pacer.slowDown(turn)) door.noteComplaint(answer.text)
  }
}

/** Where the answer leads: asked again, tried again, or refused. */
function decide(
  spooled: SpooledEvent,
  answer: Sent['answer'],
  meaning: Classification | undefined,
  context: PublishContext,
): Decision {
  const { event } = spooled
  const { fate } = context
  const reason = answer.type === 'ok' ? answer.text : answer.reason
  if (meaning === undefined) return () => fate.confirmLater(spooled, { outcome: 'unanswered', reason })
  if (meaning.type !== 'outcome') return () => fate.park(spooled, { outcome: 'unsent', reason, wasSent: true })
  if (meaning.isUnlisted === true && context.awaitsOwner(event)) {
    return wait(spooled, reason, { ...meaning, orphan: 'alone' }, context)
  }
  const { outcome } = meaning
  const isYes = answer.type === 'ok' && answer.accepted
  const lastOkAt = isYes ? context.clock() : undefined
  switch (outcome) {
    case 'pending':
      context.blocked.set(addressOf(event) ?? event.id, reason)
      return () => fate.confirmLater(spooled, { outcome, reason, lastOkAt })
    case 'accepted':
    case 'duplicate':
    case 'superseded':
      return () => fate.confirmLater(spooled, { outcome, reason, lastOkAt })
    case 'waiting':
    case 'unanswered':
    case 'unsent':
      return wait(spooled, reason, meaning, context)
    default:
      return () => fate.refuse(spooled, outcome, { reason, wasSent: true })
  }
}

/**
 * Why an event is not even sent: a relay hangs up on a message that is longer than it allows, and others are lost with
 * it.
 */
function excessOf(event: NostrEvent, { target }: PublishContext): string | undefined {
  const { maxMessageBytes = Infinity } = target.profile
  const { maxEventBytes = Infinity } = target.limits
  if (maxEventBytes < Infinity && Buffer.byteLength(JSON.stringify(event)) > maxEventBytes)
    return `larger than the ${maxEventBytes} bytes that an event may have at the target`
  const isLarger = maxMessageBytes < Infinity && Buffer.byteLength(JSON.stringify(['EVENT', event])) > maxMessageBytes
  return isLarger ? `larger than the ${maxMessageBytes} bytes that the target allows` : undefined
}

/** What depends on a waiting event waits as well; after an orphan refusal, so does what depends on the same parents. */
function wait(spooled: SpooledEvent, reason: string, meaning: Verdict, { blocked, fate }: PublishContext): Decision {
  const { event } = spooled
  blocked.set(addressOf(event) ?? event.id, reason)
  if (meaning.orphan === 'siblings') for (const anchor of parentsOf(event)) blocked.set(anchor, reason)
  const isOrphan = meaning.orphan !== undefined
  const isError = meaning.error === true || !meaning.known
  const why = { outcome: 'waiting', reason, isOrphan, isError, retryAt: meaning.retryAt } as const
  // confirm-sent.ts looks whether a newer version explains the error, and when errors have lasted long enough.
  return isError ? () => fate.confirmLater(spooled, why) : () => fate.park(spooled, { ...why, wasSent: true })
}

/**
 * An event waits unsent when everything that it depends on is blocked. Not a state: it travels with its announcement,
 * and the git data that both wait for is pushed by its leave. Nor what the target hosts without a parent.
 */
function blockedBy(event: NostrEvent, { blocked, isHosted }: PublishContext): string | undefined {
  if (event.kind === KIND.state || isHosted(event)) return undefined
  const anchors = parentsOf(event)
  const reasons = anchors.map((anchor) => blocked.get(anchor))
  return anchors.length > 0 && reasons.every((reason) => reason !== undefined) ? reasons[0] : undefined
}

function parkReady(reason: string, { state, fate }: PublishContext): void {
  for (const piece of state.spool.inState('ready', BATCH)) {
    state.transaction(() => {
      for (const spooled of piece) fate.park(spooled, { outcome: 'unsent', reason })
    })
  }
}
