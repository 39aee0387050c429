import { describe, expect, it } from 'vitest'

import { smallRepository } from '../support/scenes.ts'
import { createWorkbench, endArguments, type Workbench } from '../support/workbench.ts'

const mine = smallRepository()
const { events } = mine

async function textOf(bench: Workbench, args: readonly string[]): Promise<string> {
  return (await bench.run(args)).stdout.replaceAll(/\s+/g, ' ')
}

describe('"run again with the same options" (no false green #14)', () => {
  it.each([
    ['a file that is not there', 'nowhere.jsonl', 'Name a file that can be read'],
    ['a name that nobody knows', 'ws://nowhere.invalid', 'Check the name of the relay'],
  ])('is not said for %s', async (_what, source, mend) => {
    const bench = createWorkbench()
    const target = await bench.scripted()
    const ends = endArguments(source, target)
    for (const flags of [[], ['--quiet']]) {
      const text = await textOf(bench, ['catchup', ...ends, '--retries', '0', ...flags])
      expect(text).toContain(`${mend}. Then run ngit-sync catchup again.`)
      expect(text).not.toMatch(/same options|next run reads that again/)
    }
  })

  it('is not said for --max-bytes', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.scripted({ events }), bench.scripted()])
    const text = await textOf(bench, ['catchup', ...endArguments(source, target), '--max-bytes', '500'])
    expect(text).toContain('Raise --max-bytes. Then run ngit-sync catchup again.')
    expect(text).not.toMatch(/same options|next run reads that again/)
  })

  it('is not said where a source wants a key', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.scripted({ events, requireAuth: ['read'] }), bench.scripted()])
    const text = await textOf(bench, ['catchup', ...endArguments(source, target)])
    expect(text).toContain('Give a secret key that it accepts. Then run ngit-sync catchup again.')
    expect(text).not.toContain('same options')
  })

  it('is said where it may help', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.scripted({ events }), bench.scripted()])
    const ends = endArguments([source, 'ws://127.0.0.1:1'], target)
    expect(await textOf(bench, ['catchup', ...ends, '--retries', '0'])).toContain('catchup again with the same options')
  })
})

describe('the reason of what waits (no false green #14)', () => {
  it('is that of the present obstacle: the issue was refused, no git data is waited for any more', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events })
    const purgatory = "purgatory: won't be served until git data arrives"
    const target = await bench.scripted({
      onEvent: ({ kind }) =>
        kind === 30617 || kind === 30618 ? { ok: true, text: purgatory, store: false } : 'default',
    })
    await bench.catchup(source, target)
    expect(bench.spool().map(({ reason }) => reason)).toEqual(Array(4).fill(expect.stringContaining('purgatory')))
    for (const event of [mine.announced, mine.state]) target.events.set(event.id, event)
    target.behaviour.onEvent = ({ kind }) => (kind === 1621 ? { ok: false, text: 'blocked: spam' } : 'default')
    const { code, report, stdout } = await bench.catchup(source, target)
    expect([code, report.totals.parked]).toEqual([0, 0])
    expect(bench.spool().map(({ reason }) => reason)).toEqual(['blocked: spam', 'parent refused: blocked: spam'])
    expect(stdout).not.toContain('purgatory')
    const { stdout: status } = await bench.run(['status'])
    expect(status).not.toMatch(/purgatory|[Pp]ush/)
  })

  it('is no push whose time has passed', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events })
    const target = await bench.scripted({
      onEvent: ({ kind }) => (kind === 30618 ? { ok: true, text: 'purgatory: no git data', store: false } : 'default'),
    })
    await bench.catchup(source, target)
    bench.letPass(32 * 60)
    const text = await textOf(bench, ['catchup', ...endArguments(source, target)])
    expect(text).toContain('The purgatory has expired')
    expect(text).not.toMatch(/[Pp]ush the repository/)
  })
})
