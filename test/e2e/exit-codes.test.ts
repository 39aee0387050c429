import { describe, expect, it } from 'vitest'

import { generateHistory } from '../support/generate.ts'
import { runCli } from '../support/run-cli.ts'
import { smallRepository } from '../support/scenes.ts'
import { createWorkbench, endArguments, idsOf } from '../support/workbench.ts'

const mine = smallRepository()

describe('wrong usage', () => {
  it('exits 2, with every problem at once, one line each, on standard error', async () => {
    const args = [
      '--source',
      'http://a.example',
      '--since',
      'yesterdayish',
      '--bogus',
      '--scope',
      'some',
      '--retries',
      '-1',
    ]
    const { code, stdout, stderr } = await runCli(['catchup', ...args, '--quick-window', 'soon', '--surce', 'x'])
    expect([code, stdout]).toEqual([2, ''])
    const lines = stderr.trim().split('\n')
    for (const word of [
      '--bogus',
      '--surce',
      '--source',
      '--since',
      '--scope',
      '--retries',
      '--quick-window',
      '--target',
    ]) {
      expect(lines.filter((line) => line.startsWith('error: ') && line.includes(word))).not.toEqual([])
    }
    expect(lines.at(-1)).toBe('see ngit-sync catchup --help')
  })

  it.each(['--key', '--follow-up', '--nip77', '-x'])(
    'exits 2 for an option that is not there: %s is never ignored',
    async (flag) => {
      const { code, stderr } = await runCli(['catchup', ...endArguments('a.jsonl', 'b.jsonl'), flag, 'value'])
      expect(code).toBe(2)
      expect(stderr).toContain(`unknown option "${flag}"`)
    },
  )

  it.each([
    [['catchpu'], 'did you mean catchup?'],
    [['--source', 'x'], 'no command before "--source"'],
    [['catchup', 'wss://a.example'], 'unexpected argument'],
  ])('exits 2: %j', async (args, text) => {
    const { code, stderr } = await runCli(args)
    expect(code).toBe(2)
    expect(stderr).toContain(text)
  })

  it.each([
    ['ws://127.0.0.1:1', 'ws://127.0.0.1:1/'],
    ['wss://Relay.Example:443', 'wss://relay.example'],
    ['./events.jsonl', 'events.jsonl'],
  ])('exits 2 for a source that is the target: %s and %s', async (source, target) => {
    const { code, stderr } = await runCli(['catchup', '--source', source, '--target', target])
    expect(code).toBe(2)
    expect(stderr).toContain('names the target itself')
  })

  it('leaves nothing behind', async () => {
    const bench = createWorkbench()
    const { code } = await bench.spawn(['catchup', '--source', 'x', '--bogus'])
    expect(code).toBe(2)
    expect(() => bench.checkpoints()).toThrow()
  })
})

describe('--help', () => {
  it.each([[['--help']], [['catchup', '--help']], [['backfill', '--help']], [['help', 'catchup']]])(
    '%j prints the exit codes on standard output and ends with 0',
    async (args) => {
      const { code, stdout, stderr } = await runCli(args)
      expect([code, stderr]).toEqual([0, ''])
      for (const exit of ['0', '1', '2', '3', '4', '130', '143'])
        expect(stdout).toMatch(new RegExp(`^ +${exit} +\\w`, 'm'))
    },
  )
})

describe('--quiet', () => {
  it('prints nothing when all is well, with events to copy and without', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.real({ events: mine.events }), bench.real()])
    const args = ['catchup', ...endArguments(source, target), '--quiet']
    const first = await bench.spawn(args)
    const second = await bench.spawn(args)
    expect([first, second].map(({ code, stdout, stderr }) => [code, stdout, stderr])).toEqual([
      [0, '', ''],
      [0, '', ''],
    ])
    expect(idsOf(target.events())).toEqual(idsOf(mine.events))
  })

  it('prints the report when something waits', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: mine.events })
    const target = await bench.scripted({ onEvent: () => ({ ok: true, text: 'purgatory: wait', store: false }) })
    const { code, stdout } = await bench.spawn(['catchup', ...endArguments(source, target), '--quiet'])
    expect(code).toBe(3)
    expect(stdout).toContain('purgatory: wait')
    expect(stdout).toContain('partial (3)')
  })

  it('prints the report when something was refused for good', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([
      bench.real({ events: mine.events }),
      bench.real({ acceptsOnly: [30617, 30618, 1621] }),
    ])
    const { code, stdout } = await bench.spawn(['catchup', ...endArguments(source, target), '--quiet'])
    expect(code).toBe(0)
    expect(stdout).toContain('blocked: kind 1111 not accepted')
  })
})

describe('the table', () => {
  it('shows layers, sources, the verdict with its exit code, and no colour in a pipe', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([
      bench.real({ events: generateHistory({ repositories: 2, rootsPerRepository: 2 }) }),
      bench.real(),
    ])
    const { code, stdout, stderr } = await bench.spawn(['catchup', ...endArguments(source, target)])
    expect([code, stderr]).toEqual([0, ''])
    for (const text of ['1 announcements', '2 repositories', '3 threads', source.url, target.url]) {
      expect(stdout).toContain(text)
    }
    expect(stdout).toMatch(/^complete \(0\): every source was read to its end: 32 events sent/m)
    expect(stdout.includes('\u001b')).toBe(false)
  })

  it('says since when the promise holds after a quick run', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.real({ events: mine.events }), bench.real()])
    await bench.catchup(source, target)
    const { stdout } = await bench.spawn(['catchup', ...endArguments(source, target)])
    expect(stdout).toMatch(/complete \(0\): .* since .* on top\s+of\s+a\s+full\s+pass/)
  })

  it('escapes what a relay wrote: no control, bidi or zero-width character reaches the terminal', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: mine.events })
    const text = 'blocked: \u001b[31mred\u001b[0m \u0007 \u202Eevil\u200B \u009b2J'
    const target = await bench.scripted({ onEvent: () => ({ ok: false, text }) })
    const args = ['catchup', ...endArguments(source, target)]
    const table = await bench.spawn(args)
    const json = await bench.spawn([...args, '--json', '--full'])
    for (const { stdout, stderr } of [table, json]) {
      expect(`${stdout}${stderr}`).not.toMatch(
        /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/,
      )
    }
    expect(table.stdout).toContain('red')
  })
})

describe('the environment', () => {
  it('gives every option; the command line wins', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.real({ events: mine.events }), bench.real()])
    const env = {
      NGIT_SYNC_SOURCE: source.url,
      NGIT_SYNC_TARGET: 'ws://127.0.0.1:1',
      NGIT_SYNC_JSON: 'true',
      NGIT_SYNC_SCOPE: 'all',
    }
    const result = await bench.spawn(['catchup', '--target', target.url], { env })
    expect(result.json<{ scope: unknown }>().scope).toMatchObject({ kind: 'all', why: '--scope all' })
    expect(result.code).toBe(0)
    expect(idsOf(target.events())).toEqual(idsOf(mine.events))
  })

  it('that is wrong makes it exit 2, and is named by its variable', async () => {
    const { code, stderr } = await runCli(['catchup', ...endArguments('a.jsonl', 'b.jsonl')], {
      env: { NGIT_SYNC_OVERLAP: 'much', NGIT_SYNC_SORUCE: 'x' },
    })
    expect(code).toBe(2)
    expect(stderr).toContain('NGIT_SYNC_OVERLAP')
    expect(stderr).toContain('did you mean NGIT_SYNC_SOURCE?')
  })
})
