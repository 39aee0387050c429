import { SyncError } from '../errors.ts'
import type { Filter } from '../nostr/filter.ts'
import { KIND } from '../nostr/kinds.ts'
import type { End, LearntLimits, Profile } from './endpoint.ts'
import { knownLimits } from './pace/known-limits.ts'
import { encodeMessage, END } from './negentropy/negentropy-message.ts'
import type { NegentropyAnswer } from './negentropy/negentropy-session.ts'
import { knownRate } from './pace/pacing.ts'
import type { Rate } from '../time.ts'
import { describeEnd } from './describe-end.ts'
import { softwareOf } from './peer.ts'
import type { SilenceRate } from './pace/silence-bucket.ts'
import type { WebSocketRelay } from './websocket-relay.ts'

/** What a relay is and can do: its own claims, and the results of trying it. Nothing is written to it. */
export type RelayInspection = {
  readonly version: 1
  readonly url: string
  /** Its NIP-11 document. */
  readonly document: {
    /** Why it could not be read; null if it was read. */
    readonly error: string | null
    readonly name: string | null
    readonly software: string | null
    readonly version: string | null
    readonly supportedNips: readonly number[]
    readonly supportedGrasps: readonly string[]
    readonly maxMessageBytes: number | null
    readonly maxSubscriptions: number | null
    readonly maxLimit: number | null
  }
  /** The known rate at which this software accepts events; null when unknown. */
  readonly rate: Rate | null
  /** Other known limits of this software per connection; null where unknown. */
  readonly limits: {
    /** REQ, COUNT and NEG-OPEN together: a burst, then `gain` more for each silent interval. */
    readonly queries: SilenceRate | null
    readonly maxEventBytes: number | null
    /** Open reconciliations (NIP-77), and the events that all of them hold together. */
    readonly maxNegentropySessions: number | null
    readonly maxNegentropyItems: number | null
  }
  readonly reading: {
    /** Whether a REQ was answered to its end; otherwise `reason` says why not. */
    readonly works: boolean
    readonly reason: string | null
    /** The median of three small REQs; null when none was answered. */
    readonly roundTripMs: number | null
    /** Rows of a REQ without `limit`. `isCut`: a REQ with a `limit` gets more, so `rows` is the page size. */
    readonly page: { readonly rows: number; readonly isCut: boolean } | null
  }
  /** What the relay refused at the load that a run may cause; null if it refused nothing or was not tested. */
  readonly refusesOver: { readonly [limit in keyof LearntLimits]-?: number | null }
  readonly authentication: {
    /** Whether the relay sends a challenge (NIP-42). */
    readonly challenges: boolean
    /** Whether the relay answers REQs only after authentication. */
    readonly isRequiredToRead: boolean
    /** Whether the relay let us in with our key; null when no key was given or needed. */
    readonly isKeyAccepted: boolean | null
    /** Why the relay did not accept our key, in its own words if it gave any; null if accepted or not tried. */
    readonly keyFailure: string | null
  }
  readonly negentropy: {
    readonly works: boolean
    readonly isAnnounced: boolean
    /** Why it does not work. */
    readonly reason: string | null
  }
  /** The relay's clock minus ours; null when it sends no date. */
  readonly clockOffsetSeconds: number | null
}

/** The inputs of an inspection. */
export type Inspector = {
  /** The relay without authentication. */
  readonly stranger: WebSocketRelay
  /** The relay with our key; `undefined` without a key. */
  readonly known: WebSocketRelay | undefined
  readonly nowMs: () => number
}

const NIP_NEGENTROPY = 77
const ROUND_TRIPS = 3
/** The most values that a run puts into one filter, and the most questions that it asks at once. */
const MANY = { values: 250, questions: 8 }
const SMALL: Filter = { kinds: [KIND.announcement], limit: 1 }
const NEGENTROPY_TIMEOUT_MS = 5_000
/** Our set is empty, so the relay lists everything it has. */
const NOTHING = encodeMessage([{ type: 'ids', upper: END, ids: [] }])

const NO_LIMITS = { maxFilterValues: null, maxFilterBytes: null, maxOpenRequests: null }

/** Asks a relay what it is and tries its abilities. Throws SyncError when it cannot be reached. */
export async function inspectRelay({ stranger, known, nowMs }: Inspector): Promise<RelayInspection> {
  const profile = await stranger.open()
  const first = await stranger.request(SMALL)
  const isRequiredToRead = first.end.type === 'closed' && first.end.reason.startsWith('auth-required:')
  const relay = isRequiredToRead && known !== undefined ? known : stranger
  const reading = (relay === known ? await refusalOf(known) : undefined) ?? (await tryReading(relay, nowMs))
  return {
    version: 1,
    url: stranger.url,
    document: documentOf(profile),
    rate: knownRate(softwareOf(profile)) ?? null,
    limits: limitsOf(profile),
    reading,
    refusesOver: reading.works ? await tryMany(relay) : { ...NO_LIMITS },
    authentication: {
      challenges: stranger.hasChallenged(),
      isRequiredToRead,
      isKeyAccepted: isRequiredToRead && known !== undefined ? reading.works : null,
      keyFailure: known?.keyFailure() ?? null,
    },
    negentropy: await tryNegentropy(relay, profile),
    clockOffsetSeconds: profile.clockOffsetSeconds ?? null,
  }
}

function documentOf(profile: Profile): RelayInspection['document'] {
  const { documentError, name, software, version, supportedNips, supportedGrasps } = profile
  const { maxMessageBytes, maxSubscriptions, maxLimit } = profile
  return {
    error: documentError ?? null,
    name: name ?? null,
    software: software ?? null,
    version: version ?? null,
    supportedNips,
    supportedGrasps,
    maxMessageBytes: maxMessageBytes ?? null,
    maxSubscriptions: maxSubscriptions ?? null,
    maxLimit: maxLimit ?? null,
  }
}

function limitsOf(profile: Profile): RelayInspection['limits'] {
  const { queries, maxEventBytes, maxNegentropySessions, maxNegentropyItems } = knownLimits(profile)
  return {
    queries: queries ?? null,
    maxEventBytes: maxEventBytes ?? null,
    maxNegentropySessions: maxNegentropySessions ?? null,
    maxNegentropyItems: maxNegentropyItems ?? null,
  }
}

/** Authenticates. Returns a failed reading if the relay hangs up because of it. */
async function refusalOf(known: WebSocketRelay): Promise<RelayInspection['reading'] | undefined> {
  try {
    await known.open()
    return undefined
  } catch (error) {
    if (!(error instanceof SyncError)) throw error
    return { works: false, reason: error.message, roundTripMs: null, page: null }
  }
}

async function tryReading(relay: WebSocketRelay, nowMs: () => number): Promise<RelayInspection['reading']> {
  const times: number[] = []
  for (let trip = 0; trip < ROUND_TRIPS; trip += 1) {
    const askedMs = nowMs()
    const { end } = await relay.request(SMALL)
    if (end.type !== 'eose') return failedReading(end)
    times.push(nowMs() - askedMs)
  }
  return { works: true, reason: null, roundTripMs: median(times), page: await measurePage(relay) }
}

function failedReading(end: End): RelayInspection['reading'] {
  return { works: false, reason: describeEnd(end), roundTripMs: null, page: null }
}

/** A page without `limit` may be all that the relay has. Only a larger answer to a larger `limit` proves a cut. */
async function measurePage(relay: WebSocketRelay): Promise<RelayInspection['reading']['page']> {
  const { rows, end } = await relay.request({})
  if (end.type !== 'eose') return null
  const more = await relay.request({ limit: rows.length + 1 })
  return { rows: rows.length, isCut: more.rows.length > rows.length }
}

/** No event has these ids. */
async function tryMany(relay: WebSocketRelay): Promise<RelayInspection['refusesOver']> {
  const ids = Array.from({ length: MANY.values }, (_, number) => number.toString(16).padStart(64, '0'))
  await relay.request({ ids, limit: ids.length })
  await Promise.all(Array.from({ length: MANY.questions }, () => relay.request(SMALL)))
  return { ...NO_LIMITS, ...relay.learntLimits() }
}

async function tryNegentropy(
  relay: WebSocketRelay,
  { supportedNips }: Profile,
): Promise<RelayInspection['negentropy']> {
  const session = relay.openNegentropy(SMALL, NEGENTROPY_TIMEOUT_MS)
  try {
    const answer = await session.send(NOTHING)
    const isAnnounced = supportedNips.includes(NIP_NEGENTROPY)
    return { works: answer.type === 'msg', isAnnounced, reason: reasonAgainst(answer) }
  } finally {
    session.close()
  }
}

function reasonAgainst(answer: NegentropyAnswer): string | null {
  switch (answer.type) {
    case 'msg':
      return null
    case 'idle':
      return `no answer within ${NEGENTROPY_TIMEOUT_MS / 1000} s`
    case 'error':
    case 'refused':
    case 'disconnected':
      return answer.reason
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
