import { describe, expect, it } from 'vitest'

import type { Status } from '../../src/report/status.ts'
import { smallRepository } from '../support/scenes.ts'
import { createWorkbench, endArguments } from '../support/workbench.ts'
import { waitFor } from '../support/wait-for.ts'

const mine = smallRepository()

describe('status', () => {
  it('tells checkpoints, refusals and runs, and asks no relay', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: mine.events })
    const target = await bench.scripted({
      onEvent: ({ kind }) => (kind === 1111 ? { ok: false, text: 'blocked: no comments here' } : 'default'),
    })
    const run = await bench.catchup(source, target)
    await bench.catchup(source, target)
    for (const relay of [source, target]) relay.forgetReceived()
    const { code, stdout } = await bench.run(['status', '--json'])
    const [status] = (JSON.parse(stdout) as Status).targets
    expect(status?.target).toBe(target.url)
    expect(status?.coverage.map(({ layer, oldestFullAt }) => [layer, oldestFullAt])).toEqual(
      ['announcements', 'repositories', 'threads'].map((layer) => [layer, run.report.startedAt]),
    )
    expect(status?.refused).toMatchObject([{ reason: 'blocked: no comments here', count: 1, example: mine.comment.id }])
    expect(status?.runs.map(({ command, exit, published }) => [command, exit, published])).toEqual([
      ['catchup', 0, 0],
      ['catchup', 0, 4],
    ])
    expect([source, target].map(({ received }) => received.connections)).toEqual([0, 0])
    expect(code).toBe(0)
  })

  it('tells of a run that is under way, and of one that was killed', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: mine.events })
    const target = await bench.scripted({ onEvent: () => 'silent' })
    const running = bench.start(['catchup', ...endArguments(source, target)])
    await waitFor(() => target.received.events.length > 0, { timeoutMs: 20_000 })
    const during = await bench.run(['status', '--json', '--target', target.url])
    expect((JSON.parse(during.stdout) as Status).targets[0]?.lock?.pid).toBe(running.pid)
    running.kill('SIGKILL')
    await running.finished
    const after = await bench.run(['status', '--json', '--target', target.url])
    expect((JSON.parse(after.stdout) as Status).targets[0]).toMatchObject({ lock: null, runs: [{ exit: null }] })
  })

  it('exits 1 without a state file, and says so', async () => {
    const bench = createWorkbench()
    const { code, stdout, stderr } = await bench.run(['status'])
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toContain(`read state ${bench.stateFile}: no such file`)
  })
})
