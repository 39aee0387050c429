/*
 * The path of one event: what everybody says about it now, whether it belongs, and what the state file remembers. Reads
 * like a run, by the same scope, and sends nothing.
 */
import { addressOf, isNewerVersion } from '../nostr/address.ts'
import { isExpired, type NostrEvent } from '../nostr/event.ts'
import { unwantedBecause } from '../receive/take-in.ts'
import { hearPeer } from '../relay/peer.ts'
import type { PlaceAnswer, ScopePlace, Subject, WhyReport } from '../report/why.ts'
import { askedPeers } from '../run/ask-sources.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import type { StoredTrace } from '../store/trace-state.ts'
import { answerOf, askForVersion, askPlace, unanswered, type Asked } from './ask-place.ts'
import { decide } from './decide.ts'
import { findWithdrawal, type Withdrawal } from './find-withdrawal.ts'
import { learnContext, type Places } from './learn-context.ts'
import { placeInScope } from './place-in-scope.ts'

/** What is asked. `stored`: what the state file remembered before this. */
export type Tracing = { readonly subject: Subject; readonly stored: StoredTrace; readonly isOffline: boolean }

/** Returns the path of one event. `run` must be a dry one, on a copy of the state file: this adds to its tables. */
export async function traceEvent(
  { subject, stored, isOffline }: Tracing,
  run: ScopedRun,
): Promise<Omit<WhyReport, 'shard'>> {
  const places: Places = { target: hearPeer(run.target, run.targetAside), sources: askedPeers(run.sources) }
  const asked = await askAll(subject, places, run)
  const event = newestOf([...asked.values()].flatMap(({ event: found }) => found ?? [])) ?? stored.event
  const withdrawal =
    event === undefined ? undefined : await findWithdrawal(event, [places.target, ...places.sources], run)
  const kin = event === undefined ? new Set<string>() : await learnContext(event, places, run)
  const unwanted = event && unwantedBecause(event, run)
  const place = event === undefined ? null : placeOf(event, { unwanted, kin }, run)
  const answers = await compareVersions(event, asked, places, run)
  const { url } = run.target.endpoint
  const target = isOffline ? answerOf(url, 'not asked') : answerAt(url, answers)
  const sources = run.world.sources.map((source) => withDrained(sourceAnswer(source.url, answers, run), place, run))
  const facts = { event, place, target, sources, stored, withdrawal: withdrawal ?? oldWithdrawal(event, run) }
  return {
    version: 1,
    subject,
    offline: isOffline,
    scope: { kind: run.choice.scope.type, why: run.choice.why },
    targetSoftware: run.software ?? null,
    event: event === undefined ? null : outline(event, run),
    ...{ target, sources, place },
    ...{ history: stored.history, seenAtTarget: stored.seenAtTarget, lastRun: stored.lastRun },
    ...decide({ ...facts, unwanted, isOffline }),
  }
}

/** An event that runs never copy is left out for that reason, wherever it belongs; the time it expired is no such. */
function placeOf(
  event: NostrEvent,
  { unwanted, kin }: { readonly unwanted: string | undefined; readonly kin: ReadonlySet<string> },
  run: ScopedRun,
): ScopePlace {
  if (unwanted === undefined || unwanted === 'expired') return placeInScope(event, run, kin)
  return { layer: null, filter: null, anchor: null, why: unwanted }
}

async function askAll(
  subject: Subject,
  { target, sources }: Places,
  { world: { verifier } }: ScopedRun,
): Promise<Map<string, Asked>> {
  const asking = [target, ...sources].map(
    async (peer) => [peer.endpoint.url, await askPlace(peer, subject, verifier)] as const,
  )
  return new Map(await Promise.all(asking))
}

function newestOf(events: readonly NostrEvent[]): NostrEvent | undefined {
  return events.reduce<NostrEvent | undefined>(
    (newest, each) => (newest === undefined || isNewerVersion(each, newest) ? each : newest),
    undefined,
  )
}

async function compareVersions(
  event: NostrEvent | undefined,
  asked: ReadonlyMap<string, Asked>,
  { target, sources }: Places,
  { world: { verifier } }: ScopedRun,
): Promise<ReadonlyMap<string, PlaceAnswer>> {
  const comparing = [target, ...sources].map(async (peer) => {
    const { url } = peer.endpoint
    const own = asked.get(url) ?? { answer: unanswered(url, 'it was not asked'), event: undefined }
    return [url, event === undefined ? own.answer : await askForVersion(peer, own, { event, verifier })] as const
  })
  return new Map(await Promise.all(comparing))
}

function answerAt(url: string, answers: ReadonlyMap<string, PlaceAnswer>): PlaceAnswer {
  return answers.get(url) ?? unanswered(url, 'it did not answer')
}

/** A source that could not be opened has its reason in its log. */
function sourceAnswer(url: string, answers: ReadonlyMap<string, PlaceAnswer>, { logs }: ScopedRun): PlaceAnswer {
  const failure = logs.get(url)?.reasons()[0]?.reason
  return answers.get(url) ?? unanswered(url, failure ?? 'it did not answer')
}

function withDrained(answer: PlaceAnswer, place: ScopePlace | null, { world }: ScopedRun): PlaceAnswer {
  if (place === null || place.layer === null) return answer
  const checkpoint = world.state.checkpoints.load(answer.url, place.layer, place.anchor)
  return { ...answer, drainedAt: checkpoint?.drainedAt ?? null }
}

/** What has expired needs no other event to say so. */
function oldWithdrawal(event: NostrEvent | undefined, { startedAt }: ScopedRun): Withdrawal | 'expired' | undefined {
  return event !== undefined && isExpired(event, startedAt) ? 'expired' : undefined
}

function outline(event: NostrEvent, { catalog, world: { state } }: ScopedRun): WhyReport['event'] {
  const repository = catalog.repositoryOf(event) ?? null
  return {
    id: event.id,
    kind: event.kind,
    pubkey: event.pubkey,
    createdAt: event.created_at,
    address: addressOf(event) ?? null,
    repository,
    name: repository === null ? null : state.waits.nameAt(repository),
  }
}
