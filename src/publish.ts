/*
 * Sending what was selected: stage by stage, parents first, oldest first, a bounded window in flight. A stage starts when
 * every OK of the one before is in, because some relays handle each message on its own thread. Every answer goes to the
 * spool; nothing is settled here on an OK alone (verify.ts asks for it again).
 */
import type { Doorkeeper, PublishStop } from './door.ts'
import { INTERRUPTED, reasonOf } from './errors.ts'
import type { Ledger } from './ledger.ts'
import { isExpired, type NostrEvent } from './nostr/event.ts'
import { addressOf } from './nostr/address.ts'
import { KIND } from './nostr/kinds.ts'
import { parentsOf } from './nostr/references.ts'
import { isLastTry } from './parking.ts'
import { classifyAnswer, type Classification } from './relay/answers.ts'
import type { Answer } from './relay/endpoint.ts'
import type { Pacer } from './relay/pacing.ts'
import type { Peer } from './relay/peer.ts'
import type { SpoolChange } from './store/spool.ts'
import type { SpooledEvent } from './store/spooled-event.ts'
import type { TargetState } from './store/target-state.ts'
import type { Clock } from './time.ts'
import { Trials } from './trials.ts'

/** What publishing needs. `blocked` holds anchors that the target does not accept children of; it and the `door` are kept over the run. */
export type PublishContext = {
  readonly door: Doorkeeper
  readonly target: Peer
  readonly state: TargetState
  readonly ledger: Ledger
  readonly pacer: Pacer
  readonly clock: Clock
  readonly signal: AbortSignal
  /** No event is sent once it is aborted; its reason says why. */
  readonly deadline: AbortSignal
  readonly software: string | undefined
  readonly blocked: Map<string, string>
  /** Whether an announcement that does not name the target may be taken later, for the sake of another. */
  readonly awaitsOwner: (event: NostrEvent) => boolean
  /** Whether the target hosts an event whatever it hangs from. */
  readonly isHosted: (event: NostrEvent) => boolean
  readonly onSent: () => void
}

/** How publishing ended: everything was sent; the target refused us (`door`, in its words); it went away; or time was up. */
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
type Recorded = { readonly id: string; readonly change: SpoolChange | 'expired' }

async function publishBatch(batch: readonly SpooledEvent[], context: PublishContext): Promise<void> {
  const recorded: Recorded[] = []
  const trials = new Trials()
  const queue = batch.values()
  const worker = async (): Promise<void> => {
    for (const spooled of queue) {
      const change = await trials.inTurn(spooled.event, () => publishOne(spooled, context))
      if (change === undefined) return
      recorded.push({ id: spooled.event.id, change })
    }
  }
  await Promise.all(Array.from({ length: WINDOW }, worker))
  context.state.transaction(() => {
    for (const { id, change } of recorded) {
      if (change === 'expired') context.state.spool.remove(id)
      else context.state.spool.change(id, change, context.clock())
    }
  })
}

/** What to write about an event, `expired` when it is to be forgotten; `undefined` when it was not sent because publishing stopped. */
async function publishOne(
  spooled: SpooledEvent,
  context: PublishContext,
): Promise<SpoolChange | 'expired' | undefined> {
  const { event, layer } = spooled
  if (isExpired(event, context.clock())) return settleExpired(spooled, context)
  const reason = spooled.isOrphan && isLastTry(spooled, context.clock()) ? undefined : blockedBy(event, context)
  if (reason !== undefined) {
    context.blocked.set(addressOf(event) ?? event.id, reason)
    return { state: 'parked', outcome: 'waiting', reason, isOrphan: true }
  }
  const tooLarge = excessOf(event, context)
  if (tooLarge !== undefined) {
    context.ledger.settle(layer, 'too-large')
    return { state: 'refused', outcome: 'too-large', reason: tooLarge, software: context.software }
  }
  const sent = await sendPaced(event, context)
  if (sent === undefined) return undefined
  if (sent.type === 'expired') return settleExpired(spooled, context)
  const { answer, meaning } = sent
  context.door.note(event, answer, meaning)
  if (answer.type === 'unanswered' && answer.isUnsent === true) {
    return { state: 'parked', outcome: 'unsent', reason: answer.reason, isOrphan: spooled.isOrphan }
  }
  noteSent(spooled, context)
  const text = answer.type === 'ok' ? answer.text : answer.reason
  const change = changeFor(spooled, text, meaning, context)
  const isNo = answer.type === 'ok' && !answer.accepted
  return { ...change, wasSent: true, ...(isNo && { lastOkAt: undefined }) }
}

/** Counts events, not sends: what was freed after a refusal is sent once more. */
function noteSent({ event, layer }: SpooledEvent, { state, ledger, onSent }: PublishContext): void {
  if (!state.run.markSent(event.id)) return
  onSent()
  ledger.count(layer, 'published')
}

/** Its time (NIP-40) has passed since it was selected. */
function settleExpired({ layer }: SpooledEvent, { ledger }: PublishContext): 'expired' {
  ledger.settle(layer, 'expired')
  return 'expired'
}

/** An event that was sent, and what was said to it. */
type Sent = {
  readonly type: 'sent'
  readonly answer: Exclude<Answer, { type: 'expired' }>
  readonly meaning: Classification | undefined
}

/**
 * Sends an event, waits and repeats while the relay only asks for patience; `undefined` when publishing stopped before an
 * answer, `expired` when its time passed before its turn came.
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

/** Where the answer leads: asked again (`confirming`), tried again (`parked`), or remembered (`refused`). */
function changeFor(
  { event, layer }: SpooledEvent,
  text: string,
  meaning: Classification | undefined,
  context: PublishContext,
): SpoolChange {
  if (meaning === undefined) return { state: 'confirming', outcome: 'unanswered', reason: text }
  if (meaning.type !== 'outcome') return { state: 'parked', outcome: 'unsent', reason: text }
  if (meaning.isUnlisted === true && context.awaitsOwner(event)) {
    return waitingChange(event, text, { ...meaning, orphan: 'alone' }, context)
  }
  const { outcome } = meaning
  switch (outcome) {
    case 'accepted':
    case 'duplicate':
    case 'superseded':
      return { state: 'confirming', outcome, reason: text, lastOkAt: context.clock() }
    case 'pending':
      context.blocked.set(addressOf(event) ?? event.id, text)
      return { state: 'confirming', outcome, reason: text, lastOkAt: context.clock() }
    case 'waiting':
    case 'unanswered':
    case 'unsent':
      return waitingChange(event, text, meaning, context)
    default:
      context.ledger.settle(layer, outcome)
      return { state: 'refused', outcome, reason: text, software: context.software }
  }
}

/** Why an event is not even sent: a relay hangs up on a message that is longer than it allows, and others are lost with it. */
function excessOf(event: NostrEvent, { target }: PublishContext): string | undefined {
  const { maxMessageBytes = Infinity } = target.profile
  const { maxEventBytes = Infinity } = target.limits
  if (maxEventBytes < Infinity && Buffer.byteLength(JSON.stringify(event)) > maxEventBytes)
    return `larger than the ${maxEventBytes} bytes that an event may have at the target`
  const isLarger = maxMessageBytes < Infinity && Buffer.byteLength(JSON.stringify(['EVENT', event])) > maxMessageBytes
  return isLarger ? `larger than the ${maxMessageBytes} bytes that the target allows` : undefined
}

/** What hangs from a waiting event waits as well; after an orphan refusal, so does what hangs from the same parents. */
function waitingChange(event: NostrEvent, text: string, meaning: Verdict, { blocked }: PublishContext): SpoolChange {
  blocked.set(addressOf(event) ?? event.id, text)
  if (meaning.orphan === 'siblings') for (const anchor of parentsOf(event)) blocked.set(anchor, text)
  const isError = meaning.error === true || !meaning.known
  return {
    // verify.ts looks whether a newer version explains the error, and when errors have lasted long enough.
    state: isError ? 'confirming' : 'parked',
    outcome: 'waiting',
    reason: text,
    isOrphan: meaning.orphan !== undefined,
    isError,
    retryAt: meaning.retryAt ?? null,
  }
}

/**
 * An event waits unsent when everything that it hangs from is blocked. Not a state: it travels with its announcement,
 * and the git data that both wait for is pushed by its leave. Nor what the target hosts without a parent.
 */
function blockedBy(event: NostrEvent, { blocked, isHosted }: PublishContext): string | undefined {
  if (event.kind === KIND.state || isHosted(event)) return undefined
  const anchors = parentsOf(event)
  const reasons = anchors.map((anchor) => blocked.get(anchor))
  return anchors.length > 0 && reasons.every((reason) => reason !== undefined) ? reasons[0] : undefined
}

function parkReady(reason: string, { state, clock }: PublishContext): void {
  for (const piece of state.spool.inState('ready', BATCH)) {
    state.transaction(() => {
      for (const { event } of piece)
        state.spool.change(event.id, { state: 'parked', outcome: 'unsent', reason }, clock())
    })
  }
}
