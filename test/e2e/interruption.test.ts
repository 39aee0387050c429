import { describe, expect, it } from 'vitest'

import { reportSchema } from '../support/report-schema.ts'
import type { Report } from '../../src/report/report.ts'
import type { Status } from '../../src/report/status.ts'
import { generateHistory } from '../support/generate.ts'
import { waitFor } from '../support/wait-for.ts'
import { createWorkbench, endArguments, idsOf, type Workbench } from '../support/workbench.ts'

const EVENTS = [...generateHistory({ repositories: 3, rootsPerRepository: 4, commentsPerRoot: 3 })]
const CODES = { SIGINT: 130, SIGTERM: 143 } as const

async function statusOf(bench: Workbench): Promise<Status['targets'][number] | undefined> {
  return (await bench.run(['status', '--json'])).json<Status>().targets[0]
}

function sumOf(report: Report, outcomes: readonly (keyof Report['layers'][number]['outcomes'])[]): number {
  return report.layers.reduce((sum, layer) => {
    return outcomes.reduce((inLayer, outcome) => inLayer + (layer.outcomes[outcome] ?? 0), sum)
  }, 0)
}

/** Starts a run and interrupts it once the target was sent some events; most are not sent by then. */
async function interruptSending(signal: keyof typeof CODES, ...args: readonly string[]) {
  const bench = createWorkbench()
  const source = await bench.scripted({ events: EVENTS })
  const target = await bench.scripted({ onEvent: () => ({ ok: true, delayMs: 150 }) })
  const cli = bench.start(['catchup', ...args, ...endArguments(source, target)])
  await waitFor(() => target.received.events.length > 5, { timeoutMs: 20_000 })
  cli.kill(signal)
  return { bench, source, target, result: await cli.finished }
}

describe('a run that a signal ends while it sends (no false green #16)', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('says that it was interrupted, and blames nobody: %s', async (signal) => {
    const { bench, target, result } = await interruptSending(signal, '--json')
    const report = reportSchema.parse(result.json())
    const sent = new Set(idsOf(target.received.events)).size
    expect([result.code, report.exit, report.complete]).toEqual([CODES[signal], CODES[signal], false])
    expect(report.problems.map(({ what, reason }) => [what, reason])).not.toContainEqual(['target', expect.anything()])
    expect(report.problems.find(({ what }) => what === 'unsent')).toMatchObject({
      reason: 'interrupted',
      count: EVENTS.length - sent,
    })
    expect(report.totals.published).toBe(sent)
    expect(sumOf(report, ['unanswered', 'accepted'])).toBe(sent)
    expect((await statusOf(bench))?.runs[0]?.exit).toBe(CODES[signal])
    expect((await statusOf(bench))?.parked.find(({ outcome }) => outcome === 'unsent')).toMatchObject({
      count: EVENTS.length - sent,
      attempts: 0,
    })
  })

  it.each([[[]], [['--quiet']]])('tells the same in words %j', async (args) => {
    const { bench, source, target, result } = await interruptSending('SIGINT', ...args)
    const text = result.stdout.replaceAll(/\s+/g, ' ')
    expect(text).toMatch(
      /interrupted \(130\): \d+ events wait on disk; \d+ events sent\. The next run goes on from here\./,
    )
    expect(text).toMatch(/\d+ unsent at \S+: not sent before the run was interrupted/)
    expect(text).not.toMatch(/stopped answering|without an answer|refuses us/)
    expect((await bench.run(['status'])).stdout).toContain('interrupted (130)')
    expect((await bench.catchup(source, target)).code).toBe(0)
  })
})

describe('a run that a signal ends while it reads (no false green #16)', () => {
  it.each(['catchup', 'check', 'backfill'])('blames nobody: %s', async (command) => {
    const bench = createWorkbench()
    const [source, target] = [await bench.scripted({ events: EVENTS, delayMs: 50 }), await bench.scripted()]
    const args = command === 'backfill' ? ['--since', '5Y'] : []
    const cli = bench.start([command, ...args, ...endArguments(source, target)])
    await waitFor(() => source.received.reqs.length > 2, { timeoutMs: 20_000 })
    cli.kill('SIGTERM')
    const { code, stdout } = await cli.finished
    expect(code).toBe(143)
    expect(stdout).toContain('terminated (143): ')
    expect(stdout).not.toMatch(/stopped\s+answering|refuses\s+us/)
  })
})

describe('what was never sent (no false green #16)', () => {
  it('is not said to be without an answer where the target wants a key', async () => {
    const bench = createWorkbench()
    const [source, target] = [
      await bench.scripted({ events: EVENTS }),
      await bench.scripted({ requireAuth: ['write'] }),
    ]
    const { code, report } = await bench.catchup(source, target)
    expect([code, report.totals.parked]).toEqual([1, EVENTS.length])
    expect(report.problems.map(({ what }) => what).toSorted()).toEqual(['key', 'unsent'])
    const { stdout } = await bench.run(['status'])
    expect(stdout).toMatch(/66 unsent since .*sent\s+at\s+most\s+1\s+time/)
  })

  it('is not said to be without an answer where the target is gone', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: EVENTS })
    const target = await bench.scripted({ onEvent: () => 'drop-connection' })
    const running = bench.start(['catchup', '--json', '--retries', '1', ...endArguments(source, target)])
    await waitFor(() => target.received.events.length > 0, { timeoutMs: 20_000 })
    target.behaviour.connections = 'refuse'
    target.dropConnections()
    const report = reportSchema.parse((await running.finished).json())
    const { published } = report.totals
    expect([report.exit, sumOf(report, ['unanswered'])]).toEqual([3, published])
    expect(sumOf(report, ['unsent'])).toBe(EVENTS.length - published)
    // The announcements went out on the connection that was lost; nothing else had one.
    expect(published).toBeLessThanOrEqual(3)
  })
})

describe('the outcomes of a report (no false green #17)', () => {
  it('have everything that waits, and count events, not sends', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: EVENTS })
    const issue = EVENTS.find(({ kind }) => kind === 1621)
    let refusals = 0
    const target = await bench.scripted({
      onEvent: ({ kind, id }) => {
        if (kind === 1618) return { ok: true, text: 'purgatory: no git data', store: false }
        if (kind === 1617) return { ok: false, text: 'error: disk full' }
        if (id === issue?.id && (refusals += 1) === 1)
          return { ok: false, text: 'invalid: event must reference an accepted repository or accepted event' }
        return 'default'
      },
    })
    const { report } = await bench.catchup(source, target)
    const unsettled = sumOf(report, ['pending', 'waiting', 'unanswered', 'unsent'])
    expect(unsettled).toBe(report.totals.parked)
    expect(sumOf(report, ['pending'])).toBeGreaterThan(0)
    expect(report.totals.published).toBe(new Set(idsOf(target.received.events)).size)
  })
})
