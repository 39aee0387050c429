import { describe, expect, it, onTestFinished } from 'vitest'

import type { NostrEvent } from '../../src/nostr/event.ts'
import type { KnownLimits } from '../../src/relay/pace/known-limits.ts'
import { knownLimits } from '../../src/relay/pace/known-limits.ts'
import { encodeMessage, END } from '../../src/relay/negentropy/negentropy-message.ts'
import type { NegentropyAnswer } from '../../src/relay/negentropy/negentropy-session.ts'
import { generateHistory } from '../support/generate.ts'
import { runInProcess } from '../support/in-process.ts'
import type { Limits } from '../support/scripted-behaviour.ts'
import { startScriptedRelay, type ScriptedRelay, type ScriptedRelayOptions } from '../support/scripted-relay.ts'
import { openTemporaryState } from '../support/temporary-state.ts'
import { differenceOf } from '../support/workbench.ts'
import { waitFor } from '../support/wait-for.ts'
import { startWsDouble, useRelay } from '../support/ws-double.ts'

/** As ngit-grasp 3.0.10 limits a connection, but smaller, and with shorter seconds. */
const LIMITS: Limits = {
  queries: { burst: 60, gain: 5 },
  messages: { burst: 60, gain: 5 },
  frames: { burst: 320, gain: 25 },
  sessions: 10,
  items: 2_000,
  secondMs: 60,
}
const INTERVAL_MS = 75
/** The same, as it is known beforehand. */
const KNOWN: KnownLimits = {
  queries: { burst: 60, gain: 5, intervalMs: INTERVAL_MS },
  negentropyMessages: { burst: 60, gain: 5, intervalMs: INTERVAL_MS },
  frames: { burst: 320, gain: 25, intervalMs: INTERVAL_MS },
  maxNegentropySessions: 10,
  maxNegentropyItems: 2_000,
}
const FIRST_MESSAGE = encodeMessage([{ type: 'ids', upper: END, ids: [] }])
const history: readonly NostrEvent[] = [
  ...generateHistory({ repositories: 14, rootsPerRepository: 8, commentsPerRoot: 1, statuses: false }),
]

async function scripted(options: ScriptedRelayOptions): Promise<ScriptedRelay> {
  const relay = await startScriptedRelay(options)
  onTestFinished(() => relay.close())
  return relay
}

describe('a relay whose limits are known', () => {
  it('is asked 300 times in a row without meeting one of them', async () => {
    const relay = await scripted({ limits: LIMITS })
    const client = useRelay(relay.url, { limitsOf: () => KNOWN })
    await client.open()
    const ends = await Promise.all(Array.from({ length: 300 }, () => client.request({ kinds: [1] })))
    expect(new Set(ends.map(({ end }) => end.type))).toEqual(new Set(['eose']))
    expect([...relay.received.refusals]).toEqual([])
    expect(relay.received.connections).toBe(1)
  })

  it('gives everything at once again after a reconnect', async () => {
    const relay = await scripted({ limits: LIMITS })
    const client = useRelay(relay.url, { limitsOf: () => KNOWN })
    await client.open()
    const askMany = () => Promise.all(Array.from({ length: 60 }, () => client.request({ kinds: [1] })))
    await askMany()
    const waitedMs = client.waitedMs()
    relay.dropConnections()
    await client.request({ kinds: [1] })
    await Promise.all(Array.from({ length: 50 }, () => client.request({ kinds: [1] })))
    // Of an empty bucket they would need ten intervals.
    expect([client.waitedMs() - waitedMs < 4 * INTERVAL_MS, [...relay.received.refusals]]).toEqual([true, []])
  })
})

describe('a first run that takes hundreds of questions', () => {
  /** Filters of a few values each, so that a small history takes as many questions as a large one. */
  const document = { limitation: { max_message_length: 1_024 } }

  it.each([true, false])(
    'meets none of the limits that are known (NIP-77: %s)',
    async (negentropy) => {
      const source = await scripted({ events: history, negentropy, limits: LIMITS, document })
      const target = await scripted({ negentropy, limits: LIMITS, document })
      const limitsOf = (): KnownLimits => KNOWN
      const report = await runInProcess({
        sources: [useRelay(source.url, { limitsOf })],
        target: useRelay(target.url, { limitsOf }),
        state: openTemporaryState().state,
      })
      expect(report.problems).toEqual([])
      expect(differenceOf(target.events.values(), history)).toEqual({ missing: [], extra: [] })
      expect([[...source.received.refusals], [...target.received.refusals]]).toEqual([[], []])
      expect(source.received.frames.length + target.received.frames.length).toBeGreaterThan(600)
      expect([source.received.connections, target.received.connections]).toEqual([1, 1])
    },
    120_000,
  )

  it('learns those that are not: few questions are refused, and none is left out', async () => {
    const { queries, messages, secondMs } = LIMITS
    const limits = { queries, messages, secondMs } as Limits
    const source = await scripted({ events: history, negentropy: true, limits, document })
    const target = await scripted({ negentropy: true, document })
    const report = await runInProcess({
      sources: [useRelay(source.url, { silenceMs: INTERVAL_MS, patienceMs: 60_000 })],
      target: useRelay(target.url),
      state: openTemporaryState().state,
    })
    expect(report.problems).toEqual([])
    expect(differenceOf(target.events.values(), history)).toEqual({ missing: [], extra: [] })
    const refused = [...source.received.refusals.values()].reduce((sum, count) => sum + count, 0)
    expect(refused).toBeGreaterThan(0)
    // Those in flight with the first, and one or a few for each try to go faster, which are ever rarer.
    expect(refused).toBeLessThan(60)
  }, 120_000)
})

describe('reconciliations (NIP-77)', () => {
  /** Opens so many at once, and closes each when it was answered. */
  async function openMany(count: number, options: ScriptedRelayOptions, limitsOf?: () => KnownLimits) {
    const relay = await scripted({ negentropy: true, ...options })
    const client = useRelay(relay.url, limitsOf === undefined ? {} : { limitsOf })
    await client.open()
    const openOne = async (): Promise<NegentropyAnswer> => {
      const session = client.openNegentropy({ kinds: [1, 1617, 1618, 1621] })
      const answer = await session.send(FIRST_MESSAGE)
      session.close()
      return answer
    }
    const answers = await Promise.all(Array.from({ length: count }, openOne))
    return { answers: answers.map(({ type }) => type), refusals: relay.received.refusals }
  }

  const roots = history.filter(({ kind }) => kind === 1617 || kind === 1618 || kind === 1621)
  const allAnswered = (count: number) => Array.from({ length: count }, () => 'msg')

  it('are never more at once than the relay is known to allow', async () => {
    const { answers, refusals } = await openMany(20, { limits: { sessions: 10 } }, () => ({
      maxNegentropySessions: 10,
    }))
    expect([answers, [...refusals]]).toEqual([allAnswered(20), []])
  })

  it('wait for a place where it allows fewer', async () => {
    const { answers, refusals } = await openMany(20, { limits: { sessions: 3 } })
    expect(answers).toEqual(allAnswered(20))
    expect([...refusals.values()][0]).toBeLessThanOrEqual(8)
  })

  it('wait for the others when all together hold too much', async () => {
    const { answers, refusals } = await openMany(12, { events: roots, limits: { items: roots.length * 2 } })
    expect(answers).toEqual(allAnswered(12))
    expect([...refusals.values()][0] ?? 0).toBeLessThanOrEqual(8)
  })

  it('are too large when one alone holds too much: the window is for the caller to halve', async () => {
    const { answers } = await openMany(1, { events: roots, limits: { items: roots.length - 1 } })
    expect(answers).toEqual(['error'])
  })

  it('are put off, not given up, while the relay answers too many queries', async () => {
    const limits: Limits = { queries: { burst: 4, gain: 2 }, secondMs: 20 }
    const { answers } = await openMany(10, { limits })
    expect(answers).toEqual(allAnswered(10))
  })

  it('go on after a message that was put off, in a new session', async () => {
    let putOff = 2
    const double = await startWsDouble({
      onFrame: ([label, id], { send }) => {
        if (label === 'NEG-MSG' && (putOff -= 1) >= 0) return send('NEG-ERR', id, 'rate-limited: too many queries')
        if (label !== 'NEG-CLOSE') send('NEG-MSG', id, '61')
      },
    })
    const session = useRelay(double.url).openNegentropy({ kinds: [1] })
    await session.send('61')
    expect(await session.send('61')).toMatchObject({ type: 'error', reason: 'rate-limited: too many queries' })
    await waitFor(() => double.countFrames('NEG-CLOSE') === 1)
  })
})

describe('too many open REQs', () => {
  /** A relay that answers so many REQs at once and turns away what is more. */
  async function startNarrow(most: number, turnAway: (id: unknown) => readonly unknown[]) {
    const open = { now: 0, refused: 0 }
    const double = await startWsDouble({
      onFrame: ([label, id], { send }) => {
        if (label !== 'REQ') return
        if (open.now >= most) {
          open.refused += 1
          return send(...turnAway(id))
        }
        open.now += 1
        setTimeout(() => [(open.now -= 1), send('EOSE', id)], 10)
      },
    })
    return { double, open }
  }

  it.each<[text: string, turnAway: (id: unknown) => readonly unknown[]]>([
    ['CLOSED rate-limited: too many REQs', (id) => ['CLOSED', id, 'rate-limited: too many REQs']],
    [
      'CLOSED active subscriptions …',
      (id) => ['CLOSED', id, 'rate-limited: active subscriptions exceed max size 9 bytes'],
    ],
    ['CLOSED error: too many subscriptions', (id) => ['CLOSED', id, 'error: too many subscriptions']],
  ])('are fewer from then on: %s', async (_, turnAway) => {
    const { double, open } = await startNarrow(2, turnAway)
    const relay = useRelay(double.url)
    const pages = await Promise.all(Array.from({ length: 40 }, () => relay.request({ kinds: [1] })))
    expect(new Set(pages.map(({ end }) => end.type))).toEqual(new Set(['eose']))
    expect(open.refused).toBeLessThanOrEqual(12)
    const refusedBefore = open.refused
    await Promise.all(Array.from({ length: 10 }, () => relay.request({ kinds: [1] })))
    expect(open.refused).toBe(refusedBefore)
  })

  it('are fewer when a NOTICE says so, which names none of them', async () => {
    const { double } = await startNarrow(4, () => ['NOTICE', 'ERROR: too many concurrent REQs'])
    const relay = useRelay(double.url)
    const pages = await Promise.all(Array.from({ length: 8 }, () => relay.request({ kinds: [1] })))
    expect(new Set(pages.map(({ end }) => end.type))).toEqual(new Set(['eose']))
  }, 20_000)
})

describe('a REQ that is no matter of time', () => {
  it('is not repeated: too many filters', async () => {
    const reason = 'rate-limited: REQ exceeds max filter count 20'
    const double = await startWsDouble({
      onFrame: ([label, id], { send }) => (label === 'REQ' ? send('CLOSED', id, reason) : undefined),
    })
    expect((await useRelay(double.url).request({})).end).toEqual({ type: 'closed', reason })
    expect(double.countFrames('REQ')).toBe(1)
  })

  it('is repeated when the relay lost it by its own fault, and not for ever', async () => {
    const reason = 'error: live event buffer overflow; resubscribe to recover stored events'
    let faults = 2
    const double = await startWsDouble({
      onFrame: ([label, id], { send }) => {
        if (label === 'REQ') send(...((faults -= 1) >= 0 ? ['CLOSED', id, reason] : ['EOSE', id]))
      },
    })
    const relay = useRelay(double.url)
    expect((await relay.request({})).end).toEqual({ type: 'eose' })
    faults = 99
    expect((await relay.request({})).end).toEqual({ type: 'closed', reason })
    expect(double.countFrames('REQ')).toBe(7)
  })
})

describe('a message that the relay cannot read', () => {
  const UNREADABLE = 'invalid client message'

  it('ends its REQ at once when nothing else is open', async () => {
    const double = await startWsDouble({
      onFrame: ([label], { send }) => (label === 'REQ' ? send('NOTICE', UNREADABLE) : undefined),
    })
    const relay = useRelay(double.url, { idleTimeoutMs: 60_000 })
    expect((await relay.request({})).end).toEqual({ type: 'closed', reason: UNREADABLE })
    expect([double.countFrames('REQ'), relay.notices?.()]).toEqual([2, [{ text: UNREADABLE, count: 2 }]])
  })

  it('ends the one of several that stays silent, and none that is answered', async () => {
    const double = await startWsDouble({
      onFrame: ([label, id, filter], { send }) => {
        if (label !== 'REQ') return
        if (JSON.stringify(filter) === '{"kinds":[666]}') return send('NOTICE', UNREADABLE)
        setTimeout(() => send('EOSE', id), 200)
      },
    })
    const relay = useRelay(double.url, { idleTimeoutMs: 60_000 })
    const pages = await Promise.all([1, 666, 2].map((kind) => relay.request({ kinds: [kind] })))
    expect(pages.map(({ end }) => end)).toEqual([
      { type: 'eose' },
      { type: 'closed', reason: UNREADABLE },
      { type: 'eose' },
    ])
  }, 20_000)
})

describe('knownLimits', () => {
  it('are those of ngit-grasp 3 for it and what comes after, and none for 1.0.2 and others', () => {
    const software = 'https://gitworkshop.dev/danconwaydev.com/ngit-grasp'
    expect(knownLimits({ software, version: '3.0.10-abc' })).toMatchObject({
      queries: { burst: 1_200, gain: 20 },
      frames: { burst: 6_000, gain: 100 },
      maxNegentropySessions: 10,
      maxEventBytes: 196_608,
    })
    expect(knownLimits({ software, version: '1.0.2' })).toEqual({})
    expect(knownLimits({ software: 'strfry' })).toEqual({})
  })
})
