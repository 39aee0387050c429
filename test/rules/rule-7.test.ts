import { readdirSync } from 'node:fs'
import { dirname } from 'node:path'

import { describe, expect, it } from 'vitest'

import { announcement, comment, issue } from '../support/builders.ts'
import { alice, bob, smallRepository } from '../support/scenes.ts'
import type { ScriptedRelayOptions } from '../support/scripted-relay.ts'
import type { CliResult } from '../support/run-cli.ts'
import { createWorkbench, endArguments, type Workbench } from '../support/workbench.ts'

/*
 * Rule 7. Nothing a relay or an author wrote reaches the terminal, a log or a file name unescaped (C0, C1, DEL, bidi
 * and zero-width characters).
 */

/** One of each sort, in the midst of a text that must be shown. */
const EVIL = [
  '\u0000', // NUL
  '\u0007', // bell
  '\u001b]0;owned\u0007', // sets the title of the window
  '\u001b[2J', // clears the screen
  '\r', // overwrites the line
  '\n', // begins a line of its own
  '\u007f', // DEL
  '\u009b31m', // CSI in one character
  '\u0085', // next line
  '\u2028', // line separator
  '\u202e', // right to left
  '\u2066', // isolate
  '\u200b', // zero width
  '\u200d', // joiner
  '\ufeff', // byte order mark
  '\u00ad', // soft hyphen
  '\u{e0041}', // tag character
].map((character, index) => `<${index}${character}${index}>`)
const TEXT = EVIL.join('')

/** What may stand in output: a newline ends a line; everything else must print as what it is. */
const FORBIDDEN = /(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u{fff9}-\u{fffb}]/u

const scene = smallRepository()
const COLORS = ['--no-color']

function unsafeIn({ stdout, stderr }: Pick<CliResult, 'stdout' | 'stderr'>): string[] {
  return [stdout, stderr].flatMap((text) => FORBIDDEN.exec(text)?.[0] ?? [])
}

/** Lines that a stranger began: no line of ours begins with a piece of the text. */
function injectedLines({ stdout, stderr }: Pick<CliResult, 'stdout' | 'stderr'>): string[] {
  return `${stdout}\n${stderr}`.split('\n').filter((line) => /^\d+>/.test(line))
}

/** Everywhere that a relay may put a text. */
const HOSTILE_SOURCE: ScriptedRelayOptions = {
  events: [
    ...scene.events,
    announcement(alice, TEXT, { clone: [`https://${TEXT}/x.git`], relays: [`wss://${TEXT}`], content: TEXT }),
    issue(`30617:${alice.pubkey}:${TEXT}`, bob, { content: TEXT, tags: [['subject', TEXT]] }),
    comment(scene.issue, bob, { content: TEXT }),
  ],
  document: { name: TEXT, software: TEXT, version: TEXT, description: TEXT },
}
const HOSTILE_TARGET: ScriptedRelayOptions = {
  document: { name: TEXT, software: TEXT, version: TEXT },
  onEvent: ({ kind }) => (kind === 1111 ? { ok: false, text: `blocked: ${TEXT}` } : 'default'),
}

/** A source that closes every REQ about threads, and one that only says NOTICE there. */
const CLOSING: ScriptedRelayOptions = {
  ...HOSTILE_SOURCE,
  closeReq: (filter) => (filter['#E'] === undefined ? undefined : `error: ${TEXT}`),
}
const NOTICING: ScriptedRelayOptions = {
  ...HOSTILE_SOURCE,
  onReq: ({ filters }) =>
    filters[0]?.['#q'] === undefined ? 'default' : { rows: [], end: { type: 'notice', text: TEXT } },
}

async function hostileRun(bench: Workbench, ...args: readonly string[]): Promise<CliResult> {
  const sources = await Promise.all([CLOSING, NOTICING].map((options) => bench.scripted(options)))
  const target = await bench.scripted(HOSTILE_TARGET)
  return bench.run(['catchup', ...endArguments(sources, target), '--idle-timeout', '300ms', ...COLORS, ...args])
}

describe('what strangers wrote is harmless', () => {
  it.each([[[]], [['--verbose']], [['--json']], [['--dry-run', '--verbose']], [['--quiet']]])(
    'in the report of a run with %j',
    async (args) => {
      const result = await hostileRun(createWorkbench(), ...args)
      expect(result.code).toBe(3)
      expect(result.stdout).not.toBe('')
      expect([unsafeIn(result), injectedLines(result)]).toEqual([[], []])
    },
  )

  it('and still shown: every reason stands in the table, escaped', async () => {
    const { stdout } = await hostileRun(createWorkbench(), '--verbose')
    const words = stdout.replaceAll(/\s+/g, '')
    for (const escaped of ['<0\\x000>', '<1\\x071>', '<3\\x1b[2J3>', '<5\\n5>', '<6\\x7f6>', '<10\\u{202e}10>']) {
      expect(words).toContain(escaped)
    }
  })

  it('and parses back to what it was from JSON', async () => {
    const { stdout } = await hostileRun(createWorkbench(), '--json')
    const { problems } = JSON.parse(stdout) as { problems: { reason: string }[] }
    expect(problems.map(({ reason }) => reason)).toContain(`blocked: ${TEXT}`)
  })

  it.each([[[]], [['--json']]])('in the status with %j', async (args) => {
    const bench = createWorkbench()
    await hostileRun(bench)
    const result = await bench.run(['status', ...COLORS, ...args])
    expect(result.code).toBe(0)
    expect([unsafeIn(result), injectedLines(result)]).toEqual([[], []])
  })

  it('in the hint when a scope matches nothing', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted(HOSTILE_SOURCE)
    const target = await bench.scripted(HOSTILE_TARGET)
    const result = await bench.run(['catchup', ...endArguments(source, target), '--scope', 'listed', ...COLORS])
    expect(result.code).toBe(2)
    expect([unsafeIn(result), injectedLines(result)]).toEqual([[], []])
  })

  it('when the door is closed with it', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted(HOSTILE_SOURCE)
    const target = await bench.scripted({ onEvent: () => ({ ok: false, text: `you are banned: ${TEXT}` }) })
    const result = await bench.run(['catchup', ...endArguments(source, target), ...COLORS])
    expect(result.code).toBe(1)
    expect([unsafeIn(result), injectedLines(result)]).toEqual([[], []])
  })

  it('in the reason why lines of a file are no events', async () => {
    const bench = createWorkbench()
    const file = bench.file('events.jsonl', [
      `{"id":"${'x'}\u001b[2J\u202e`,
      `\u001b[31mnot JSON\u009b`,
      ...scene.events,
    ])
    const target = await bench.scripted()
    const result = await bench.run(['catchup', '--source', file, '--target', target.url, '--verbose', ...COLORS])
    expect(result.code).toBe(3)
    expect([unsafeIn(result), injectedLines(result)]).toEqual([[], []])
  })

  it('in what the program says of its own command line', async () => {
    const bench = createWorkbench()
    for (const args of [
      [`--${TEXT}`],
      [TEXT],
      ['catchup', '--source', `wss://${TEXT}`, '--repo', TEXT, '--since', TEXT],
    ]) {
      const usable = args.map((arg) => arg.replaceAll('\u0000', ''))
      const result = await bench.run(usable)
      expect(result.code).toBe(2)
      expect([unsafeIn(result), injectedLines(result)]).toEqual([[], []])
    }
  })
})

describe('what strangers wrote names no file', () => {
  it('beside the state file', async () => {
    const bench = createWorkbench()
    await hostileRun(bench)
    const names = readdirSync(dirname(bench.stateFile), { recursive: true }).map(String)
    expect(
      names.filter((name) => !/^(state\.db(-wal|-shm)?|locks(\/[0-9a-f]{16}\.lock(\.json|-journal)?)?)$/.test(name)),
    ).toEqual([])
  })
})
