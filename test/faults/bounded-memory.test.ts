import { describe, expect, it } from 'vitest'

import type { NostrEvent } from '../../src/nostr/event.ts'
import type { Report } from '../../src/report/report.ts'
import { longHistory } from '../support/long-history.ts'
import { watchPeak } from '../support/peak-memory.ts'
import type { LiveCli } from '../support/run-cli.ts'
import { connectTiny } from '../support/tiny-client.ts'
import { waitFor } from '../support/wait-for.ts'
import { createWorkbench, differenceOf, endArguments } from '../support/workbench.ts'

/*
 * Rule 8, in the commands that answer for everything at once: the texts alone are more than the heap may hold.
 */
const HEAP = { NODE_OPTIONS: '--max-old-space-size=64' }
const EVENTS = 1_800
const CHARACTERS = 40_000
const HISTORY = [...longHistory(EVENTS, CHARACTERS)]
/** Each end lacks other events: of so many in turn one. */
const LACKING_ONE_OF = 300
/** Pages of events as large as these are no part of what grows. */
const PAGE_ROWS = 20
const RESIDENT_MIB = 250
const LIMIT_MS = 180_000

/** Gives a relay all that another serves, page by page. */
async function pull(url: string, events: Map<string, NostrEvent>): Promise<void> {
  const client = await connectTiny(url)
  let page = await client.query({})
  for (let until = Infinity; page.length > 0; page = await client.query({ until })) {
    for (const event of page) events.set(event.id, event)
    until = Math.min(...page.map((event) => event.created_at)) - 1
    client.frames.length = 0
  }
  client.close()
}

/** Where it serves, once it does. */
function addressOf(cli: LiveCli): Promise<string> {
  return waitFor(() => /serving .* at (ws:\S+), read-only/.exec(cli.stderr())?.[1], {
    timeoutMs: LIMIT_MS,
    what: 'the address',
  })
}

async function endOf(cli: LiveCli): Promise<never> {
  const { stderr } = await cli.finished
  throw new Error(`it ended early: ${stderr}`)
}

describe('serve, with a heap of 64 MiB', () => {
  it('offers a history that is larger, until the target has it', { timeout: LIMIT_MS }, async () => {
    const bench = createWorkbench()
    const source = bench.file('history.jsonl', HISTORY)
    const target = await bench.scripted({ verify: false })
    const args = ['serve', '--json', '--listen', '127.0.0.1:0', ...endArguments(source, target)]
    const cli = bench.start(args, { env: HEAP, timeoutMs: LIMIT_MS })
    const peak = watchPeak(cli)
    const url = await Promise.race([addressOf(cli), endOf(cli)])
    await pull(url, target.events)
    const { code, json } = await cli.finished
    expect([code, json<Report>().totals.accepted]).toEqual([0, EVENTS])
    expect(differenceOf(target.events.values(), HISTORY)).toEqual({ missing: [], extra: [] })
    expect(await peak).toBeLessThan(RESIDENT_MIB)
  })
})

describe('check --copies, with a heap of 64 MiB', () => {
  it.each([
    ['by NIP-77', []],
    ['in pages', ['--no-reconcile']],
  ])('counts the copies of a history that is larger, %s', { timeout: LIMIT_MS }, async (_, args) => {
    const bench = createWorkbench()
    const lacking = (part: number): NostrEvent[] => HISTORY.filter((_, index) => index % LACKING_ONE_OF !== part)
    const [target, ...sources] = await Promise.all(
      [100, 101, 102].map((part) => bench.scripted({ events: lacking(part), pageCap: PAGE_ROWS })),
    )
    const ends = endArguments(sources, target ?? '')
    const cli = bench.start(['check', '--copies', '3', '--json', ...ends, ...args], { env: HEAP, timeoutMs: LIMIT_MS })
    const [{ code, json }, peakMib] = await Promise.all([cli.finished, watchPeak(cli)])
    const { copies } = json<Report>().check ?? {}
    expect([code, copies?.events, copies?.below, copies?.undecided]).toEqual([
      5,
      EVENTS,
      (3 * EVENTS) / LACKING_ONE_OF,
      0,
    ])
    expect(peakMib).toBeLessThan(RESIDENT_MIB)
  })
})
