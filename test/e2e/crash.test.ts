import { describe, expect, it } from 'vitest'

import type { NostrEvent } from '../../src/nostr/event.ts'
import { issue, SOME_TIME } from '../support/builders.ts'
import { bob, carol, smallRepository } from '../support/scenes.ts'
import type { EventReply } from '../support/scripted-behaviour.ts'
import { waitFor } from '../support/wait-for.ts'
import { createWorkbench, endArguments } from '../support/workbench.ts'

const mine = smallRepository()
/** How many answers may be lost with the process, and how many events may be on their way beside them. */
const UNWRITTEN = 64
const IN_FLIGHT = 64

const PENDING: EventReply = { ok: true, text: "purgatory: won't be served until git data arrives", store: false }
const REFUSED: EventReply = { ok: false, text: 'blocked: no issues on Fridays' }

function issues(count: number): NostrEvent[] {
  return Array.from({ length: count }, (_, n) =>
    issue(mine.address, n % 2 === 0 ? bob : carol, { createdAt: SOME_TIME + 1_000 + n, content: `issue ${n}` }),
  )
}

/** Answers one issue after another, everything else at once; `answered` are the ids in the order of the answers. */
function oneByOne(reply: EventReply, { everyMs = 8, atMost = Infinity } = {}) {
  const answered: { readonly id: string; readonly atMs: number }[] = []
  const onEvent = (event: NostrEvent): EventReply | 'default' | 'silent' => {
    if (event.kind !== 1621) return 'default'
    if (answered.length >= atMost) return 'silent'
    const atMs = Math.max(answered.at(-1)?.atMs ?? 0, Date.now()) + everyMs
    answered.push({ id: event.id, atMs })
    return { ...reply, delayMs: atMs - Date.now() }
  }
  return { onEvent, answeredBy: (nowMs: number) => answered.filter(({ atMs }) => atMs <= nowMs).map(({ id }) => id) }
}

describe('kill -9 while a target answers', () => {
  it.each([
    ['pending', PENDING],
    ['refused', REFUSED],
  ])('costs no more than the last answers: what was %s before is not sent again', async (_, reply) => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: [...mine.events, ...issues(160)] })
    const scripted = oneByOne(reply)
    const target = await bench.scripted({ onEvent: scripted.onEvent })
    const args = ['catchup', '--json', ...endArguments(source, target)]
    const run = bench.start(args)
    const answered = await waitFor(() => [scripted.answeredBy(Date.now())].find((ids) => ids.length >= 140), {
      timeoutMs: 30_000,
    })
    run.kill('SIGKILL')
    await run.finished
    const before = target.received.events.length
    const again = await bench.catchup(source, target)
    const sentAgain = target.received.events.slice(before).map(({ id }) => id)
    const safe = answered.slice(0, answered.length - UNWRITTEN - 16)
    expect(safe.filter((id) => sentAgain.includes(id))).toEqual([])
    expect(safe.length).toBeGreaterThan(50)
    expect(sentAgain.length).toBeLessThanOrEqual(20 + UNWRITTEN + IN_FLIGHT)
    expect(again.report.totals.refused).toBe(reply === REFUSED ? 161 : 0)
  })

  it('costs nothing of what was answered a moment ago: it is on disk while the run goes on', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: [...mine.events, ...issues(20)] })
    const scripted = oneByOne(REFUSED, { atMost: 10 })
    const target = await bench.scripted({ onEvent: scripted.onEvent })
    const run = bench.start(['catchup', '--json', ...endArguments(source, target)])
    await waitFor(() => scripted.answeredBy(Date.now()).length === 10)
    await waitFor(() => bench.spool().filter(({ state }) => state === 'refused').length === 10)
    expect(run.stdout()).toBe('')
    run.kill('SIGKILL')
    await run.finished
  })
})
