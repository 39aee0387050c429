import { describe, expect, it } from 'vitest'

import {
  combineRates,
  createPacer,
  describeRate,
  knownRate,
  projectedMs,
  type Pacer,
} from '../../src/relay/pace/pacing.ts'
import type { Rate } from '../../src/time.ts'

/** A clock that only moves when somebody sleeps. */
function virtualTime() {
  const time = { nowMs: 1_750_000_000_250, slept: 0 }
  const sleep = async (ms: number): Promise<void> => {
    time.nowMs += ms
    time.slept += 1
  }
  return { time, sleep, now: () => time.nowMs }
}

/** Whether a relay takes an event that arrives now. */
type Limiter = (nowMs: number) => boolean

/** ngit-grasp: 60 at once, then one per whole second since the last event, taken or not. */
function createGrasp(burst = 60): Limiter {
  let tokens = burst
  let lastMs: number | undefined
  return (nowMs) => {
    const seconds = Math.floor((nowMs - (lastMs ?? nowMs)) / 1_000)
    lastMs = nowMs
    tokens = Math.min(burst, tokens + seconds)
    if (tokens === 0) return false
    tokens -= 1
    return true
  }
}

/** khatru as ngit-relay sets it: 15 at once, and every three minutes of its own, three more. */
function createKhatru(startedMs: number, phaseMs: number): Limiter {
  const [burst, perTick, tickMs] = [15, 3, 180_000]
  let tokens = burst
  let tick = 0
  return (nowMs) => {
    const due = Math.floor((nowMs - startedMs + phaseMs) / tickMs)
    tokens = Math.min(burst, tokens + (due - tick) * perTick)
    tick = due
    if (tokens === 0) return false
    tokens -= 1
    return true
  }
}

type Sending = { readonly acceptedAt: readonly number[]; readonly refused: number; readonly pacer: Pacer }

/** Sends events one after the other, each until it is taken, at most so many in flight. */
async function sendAll(
  count: number,
  rate: Rate | undefined,
  limiter: (startedMs: number) => Limiter,
  window = 1,
): Promise<Sending> {
  const { sleep, now } = virtualTime()
  const pacer = createPacer({ rate, nowMs: now, sleep, signal: new AbortController().signal })
  const takes = limiter(now())
  const acceptedAt: number[] = []
  let refused = 0
  let left = count
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1
      for (let isTaken = false; !isTaken;) {
        const turn = await pacer.turn()
        isTaken = takes(now())
        // The answer comes after whatever is in flight was sent.
        await new Promise((resolve) => setImmediate(resolve))
        if (isTaken) acceptedAt.push(now())
        // This clock runs ahead of the answers: a pace that is only tried would be judged too late.
        if (isTaken && rate?.buckets !== undefined) pacer.taken(turn)
        if (!isTaken) pacer.slowDown(turn)
        refused += isTaken ? 0 : 1
      }
    }
  }
  await Promise.all(Array.from({ length: window }, worker))
  return { acceptedAt, refused, pacer }
}

function spanMs({ acceptedAt }: Sending, from: number): number {
  return (acceptedAt.at(-1) ?? 0) - (acceptedAt[from] ?? 0)
}

describe('at ngit-grasp', () => {
  it('99 % of 600 events are taken at once, at most 1.03 s each after the burst', async () => {
    const sending = await sendAll(600, knownRate('ngit-grasp 1.0.2'), () => createGrasp())
    expect(sending.acceptedAt).toHaveLength(600)
    expect(sending.refused / 600).toBeLessThanOrEqual(0.01)
    expect(spanMs(sending, 59) / 540).toBeLessThanOrEqual(1_030)
  })

  it('the same holds with 64 events in flight', async () => {
    const sending = await sendAll(600, knownRate('ngit-grasp 1.0.2'), () => createGrasp(), 64)
    expect(sending.acceptedAt).toHaveLength(600)
    expect(sending.refused / 600).toBeLessThanOrEqual(0.01)
    expect(spanMs(sending, 59) / 540).toBeLessThanOrEqual(1_030)
  })

  it('the burst goes out without a pause', async () => {
    const { acceptedAt } = await sendAll(60, knownRate('ngit-grasp'), () => createGrasp())
    expect(new Set(acceptedAt).size).toBe(1)
  })

  it('none is refused, however they come: fractions of a second earn nothing', async () => {
    const { sleep, now, time } = virtualTime()
    const rate = knownRate('ngit-grasp 3.0.10')
    const pacer = createPacer({ rate, nowMs: now, sleep, signal: new AbortController().signal })
    const takes = createGrasp()
    let refused = 0
    const gaps = [1_500, 520, 300, 2_999, 10, 10, 0, 1_900, 120]
    for (let sent = 0; sent < 200; sent += 1) {
      pacer.taken(await pacer.turn())
      refused += takes(now()) ? 0 : 1
      if (sent >= 60) time.nowMs += gaps[sent % gaps.length] ?? 0
    }
    expect(refused).toBe(0)
  })

  it('an event that went alone counts from its answer on: the way there may have taken any time', async () => {
    const { time, sleep, now } = virtualTime()
    const { signal } = new AbortController()
    const rate = { burst: 1, intervalMs: 1_010, buckets: 1 }
    const pacer = createPacer({ rate, nowMs: now, sleep, signal })
    const turn = await pacer.turn()
    time.nowMs += 300
    pacer.taken(turn)
    const answeredMs = time.nowMs
    await pacer.turn()
    expect(time.nowMs - answeredMs).toBe(1_010)
  })

  it('none is refused when it comes to them late: its silence begins when the last was answered', async () => {
    const { time, now } = virtualTime()
    const answers: (readonly [atMs: number, answer: () => void])[] = []
    const sleep = async (ms: number): Promise<void> => {
      const untilMs = time.nowMs + ms
      for (let next = answers[0]; next !== undefined && next[0] <= untilMs; next = answers[0]) {
        time.nowMs = Math.max(time.nowMs, next[0])
        answers.shift()
        next[1]()
      }
      time.nowMs = untilMs
    }
    const rate = knownRate('ngit-grasp 3.0.10')
    const pacer = createPacer({ rate, nowMs: now, sleep, signal: new AbortController().signal })
    const takes = createGrasp()
    let [refused, busyUntil] = [0, now()]
    for (let sent = 0; sent < 70; sent += 1) {
      const turn = await pacer.turn()
      // It takes 50 ms for each of the first sixty, one after the other.
      const comesAt = Math.max(busyUntil, now())
      busyUntil = comesAt + (sent < 60 ? 50 : 1)
      answers.push([busyUntil, () => [(refused += takes(comesAt) ? 0 : 1), pacer.taken(turn)]])
    }
    await sleep(10_000)
    expect(refused).toBe(0)
  })

  it('no connection of several gets more than it takes', async () => {
    const { sleep, now } = virtualTime()
    const rate = combineRates(knownRate('ngit-grasp 3.0.10'), 3)
    const pacer = createPacer({ rate, nowMs: now, sleep, signal: new AbortController().signal })
    const connections = [createGrasp(), createGrasp(), createGrasp()]
    let refused = 0
    const startedAt = now()
    for (let sent = 0; sent < 240; sent += 1) {
      pacer.taken(await pacer.turn())
      refused += connections[sent % 3]?.(now()) === true ? 0 : 1
    }
    expect([refused, now() - startedAt]).toEqual([0, 20 * 1_010])
  })

  it('the rate is learnt when nothing is known, from one refused burst', async () => {
    const sending = await sendAll(600, undefined, () => createGrasp(), 64)
    expect(sending.acceptedAt).toHaveLength(600)
    expect(sending.refused).toBeLessThanOrEqual(64)
    expect(spanMs(sending, 63) / 536).toBeLessThanOrEqual(1_030)
  })

  it('a burst that an earlier connection used up costs one step, not one for each event in flight', async () => {
    const sending = await sendAll(100, knownRate('ngit-grasp'), () => createGrasp(1), 64)
    expect(sending.pacer.rate()?.intervalMs).toBeLessThanOrEqual(1_010 * 1.25)
  })
})

describe('at ngit-relay', () => {
  it.each([0, 1, 60_000, 179_999])(
    '60 events get through, few of them twice (%i ms into its interval)',
    async (phase) => {
      const sending = await sendAll(60, knownRate('ngit-relay'), (startedMs) => createKhatru(startedMs, phase), 64)
      expect(sending.acceptedAt).toHaveLength(60)
      expect(sending.refused).toBeLessThanOrEqual(6)
      expect(spanMs(sending, 14) / 45).toBeLessThanOrEqual(66_000)
    },
  )

  it('a rate that must be learnt step by step is learnt', async () => {
    const sending = await sendAll(40, undefined, (startedMs) => createKhatru(startedMs, 0))
    expect(sending.acceptedAt).toHaveLength(40)
    expect(sending.pacer.rate()).toMatchObject({ burst: 1 })
    expect(sending.pacer.rate()?.intervalMs).toBeLessThanOrEqual(60_010)
  })
})

describe('a pacer', () => {
  it('sends at once while no rate is known', async () => {
    const { sleep, now, time } = virtualTime()
    const pacer = createPacer({ rate: undefined, nowMs: now, sleep, signal: new AbortController().signal })
    for (let sent = 0; sent < 1_000; sent += 1) await pacer.turn()
    expect([time.slept, pacer.rate()]).toEqual([0, undefined])
  })

  it('saves up a burst while it rests, and not more', async () => {
    const { sleep, now, time } = virtualTime()
    const rate = { burst: 5, intervalMs: 100 }
    const pacer = createPacer({ rate, nowMs: now, sleep, signal: new AbortController().signal })
    for (let sent = 0; sent < 5; sent += 1) await pacer.turn()
    time.nowMs += 60_000
    const restedAt = now()
    for (let sent = 0; sent < 6; sent += 1) await pacer.turn()
    expect(now() - restedAt).toBe(100)
  })

  it('hands out turns in the order of asking', async () => {
    const { sleep, now } = virtualTime()
    const rate = { burst: 1, intervalMs: 100 }
    const pacer = createPacer({ rate, nowMs: now, sleep, signal: new AbortController().signal })
    const order: number[] = []
    await Promise.all([1, 2, 3].map((number) => pacer.turn().then(() => order.push(number))))
    expect(order).toEqual([1, 2, 3])
  })

  it('waits for nothing once the signal has aborted', async () => {
    const { sleep, now, time } = virtualTime()
    const abort = new AbortController()
    const pacer = createPacer({ rate: { burst: 1, intervalMs: 100 }, nowMs: now, sleep, signal: abort.signal })
    abort.abort()
    await Promise.all([pacer.turn(), pacer.turn(), pacer.turn()])
    expect(time.slept).toBe(0)
  })

  it('slows down no further than a minute an event', () => {
    const { sleep, now } = virtualTime()
    const rate = { burst: 1, intervalMs: 55_000 }
    const pacer = createPacer({ rate, nowMs: now, sleep, signal: new AbortController().signal })
    pacer.slowDown(1)
    expect(pacer.rate()?.intervalMs).toBe(60_010)
  })
})

describe('a pacer that was told to slow down', () => {
  const [burst, perMs] = [60, 50]

  /** Sends events one after the other to a relay that refills faster than anybody knows. */
  async function sendToFast(count: number, rate: Rate | undefined) {
    const { sleep, now } = virtualTime()
    const pacer = createPacer({ rate, nowMs: now, sleep, signal: new AbortController().signal })
    const start = now()
    let [tokens, refilledAt, refused] = [burst, now(), 0]
    for (let taken = 0; taken < count;) {
      const turn = await pacer.turn()
      tokens = Math.min(burst, tokens + (now() - refilledAt) / perMs)
      refilledAt = now()
      if (tokens >= 1) {
        tokens -= 1
        taken += 1
        pacer.taken(turn)
      } else {
        refused += 1
        pacer.slowDown(turn)
      }
    }
    return { refused, tookMs: now() - start, pacer }
  }

  it('feels its way back to what the relay takes', async () => {
    const { refused, tookMs, pacer } = await sendToFast(600, undefined)
    expect(refused).toBeLessThanOrEqual(30)
    expect(tookMs).toBeLessThanOrEqual(540 * perMs * 1.6)
    expect(pacer.rate()?.intervalMs).toBeLessThanOrEqual(perMs * 1.5)
  })

  it('never goes faster than the rate that it was given', async () => {
    const { tookMs, pacer } = await sendToFast(100, { burst: 1, intervalMs: 200 })
    expect([tookMs, pacer.rate()]).toEqual([99 * 200, { burst: 1, intervalMs: 200 }])
    pacer.slowDown(1_000)
    expect(pacer.rate()).toEqual({ burst: 1, intervalMs: 300 })
  })

  it('says whether it did: not for what was in flight with the event that it slowed down for', async () => {
    const { sleep, now } = virtualTime()
    const pacer = createPacer({ rate: undefined, nowMs: now, sleep, signal: new AbortController().signal })
    const turns = await Promise.all([pacer.turn(), pacer.turn(), pacer.turn()])
    expect(turns.map((turn) => pacer.slowDown(turn))).toEqual([true, false, false])
    expect(pacer.slowDown(await pacer.turn())).toBe(true)
  })

  it('counts how long events waited', async () => {
    const { sleep, now } = virtualTime()
    const rate = { burst: 2, intervalMs: 1_000 }
    const pacer = createPacer({ rate, nowMs: now, sleep, signal: new AbortController().signal })
    for (let sent = 0; sent < 5; sent += 1) await pacer.turn()
    expect(pacer.waitedMs()).toBe(3_000)
  })
})

describe('combineRates', () => {
  it('is the rate of several connections together', () => {
    expect(combineRates({ burst: 60, intervalMs: 1_000 }, 4)).toEqual({ burst: 240, intervalMs: 250 })
    expect(combineRates({ burst: 60, intervalMs: 1_000, buckets: 1 }, 4)?.buckets).toBe(4)
    expect(combineRates(undefined, 4)).toBeUndefined()
  })
})

describe('describeRate', () => {
  it.each([
    [1_010, '60 events a minute'],
    [60_010, '1 event a minute'],
    [50, '20 events a second'],
    [500, '2 events a second'],
    [6_000, '10 events a minute'],
    [360_000, '10 events an hour'],
  ])('tells one event in %i ms in the words of a person', (intervalMs, text) =>
    expect(describeRate({ burst: 1, intervalMs })).toBe(text),
  )
})

describe('knownRate', () => {
  it.each([
    ['ngit-grasp 1.0.2', { burst: 60, intervalMs: 1_010, buckets: 1 }],
    ['NGIT-RELAY', { burst: 15, intervalMs: 60_010 }],
    ['strfry 1.0', undefined],
    [undefined, undefined],
  ])('knows the rate of %s', (software, rate) => expect(knownRate(software)).toEqual(rate))
})

describe('projectedMs', () => {
  it('is nothing within the burst, then an interval each', () => {
    const rate = { burst: 60, intervalMs: 1_000 }
    expect([60, 61, 10_000].map((events) => projectedMs(events, rate))).toEqual([0, 1_000, 9_940_000])
  })

  it('is nothing while no rate is known', () => expect(projectedMs(1_000, undefined)).toBe(0))
})
