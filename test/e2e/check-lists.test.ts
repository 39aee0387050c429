import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, expect, it } from 'vitest'
import { encodeEventId, encodePublicKey } from '../../src/nostr/nip19.ts'
import { comment, state } from '../support/builders.ts'
import { alice, carol, smallRepository } from '../support/scenes.ts'
import { createWorkbench, endArguments, type Workbench } from '../support/workbench.ts'

const mine = smallRepository()
const newer = state(alice, 'hello', { createdAt: mine.state.created_at + 500, commit: '2'.repeat(40) })
const answer = comment(mine.issue, carol, { createdAt: mine.comment.created_at + 60, content: 'me too' })
const repository = `${encodePublicKey(alice.pubkey)}/hello`
const lines = (file: string): string[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .sort()
const line = (sign: string, { id, kind }: { id: string; kind: number }): string =>
  `${sign} ${encodeEventId(id)} ${kind} ${repository}`

/** The source has a newer state and two comments; the target has refused one of them. */
async function startDiffering(bench: Workbench) {
  const source = await bench.scripted({
    events: [...mine.events.filter(({ id }) => id !== mine.state.id), newer, answer],
  })
  const target = await bench.scripted({ events: mine.events.filter(({ id }) => id !== mine.comment.id) })
  return { source, target }
}

const FILES = ['combined', 'missing-on-target', 'differ', 'error']

async function checkWithLists(bench: Workbench, ends: Awaited<ReturnType<typeof startDiffering>>, ...more: string[]) {
  const flags = FILES.flatMap((name) => [`--${name}`, bench.path(name)])
  return bench.run(['check', ...endArguments(ends.source, ends.target), ...flags, ...more])
}

describe('check with lists', () => {
  it('writes one line for each difference: sign, event, kind, repository', async () => {
    const bench = createWorkbench()
    const { code } = await checkWithLists(bench, await startDiffering(bench))
    expect(code).toBe(5)
    const missing = [line('+', mine.comment), line('+', answer)].sort()
    expect(lines(bench.path('missing-on-target'))).toEqual(missing)
    expect(lines(bench.path('differ'))).toEqual([line('*', newer)])
    expect(lines(bench.path('error'))).toEqual([])
    expect(lines(bench.path('combined'))).toEqual([line('*', newer), ...missing].sort())
  })

  it('puts what the target refused, does not take yet or holds back into the list of errors', async () => {
    const bench = createWorkbench()
    const ends = await startDiffering(bench)
    ends.target.behaviour.onEvent = ({ id }) => (id === answer.id ? { ok: false, text: 'blocked: not you' } : 'default')
    await bench.catchup(ends.source, ends.target)
    const { code } = await checkWithLists(bench, ends)
    expect(code).toBe(0)
    expect(lines(bench.path('error'))).toEqual([line('!', answer)])
    expect(lines(bench.path('missing-on-target'))).toEqual([])
  })

  it('with --both also lists what only the target has', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: mine.events.slice(0, 3) })
    const target = await bench.scripted({ events: mine.events })
    await checkWithLists(bench, { source, target }, '--both')
    expect(lines(bench.path('combined'))).toEqual([line('-', mine.comment)])
  })

  it('keeps an old list when nothing could be compared, and leaves nothing else behind', async () => {
    const bench = createWorkbench()
    const { target } = await startDiffering(bench)
    writeFileSync(bench.path('combined'), 'old\n')
    const { code } = await bench.run([
      ...['check', ...endArguments(bench.path('absent.jsonl'), target)],
      ...['--combined', bench.path('combined'), '--differ', bench.path('differ')],
    ])
    expect([code, readFileSync(bench.path('combined'), 'utf8')]).toEqual([3, 'old\n'])
    expect(existsSync(bench.path('differ'))).toBe(false)
    expect(readdirSync(dirname(bench.stateFile)).filter((name) => name.startsWith('.ngit-sync-'))).toEqual([])
  })

  it('writes one to standard output and the report to standard error', async () => {
    const bench = createWorkbench()
    const { source, target } = await startDiffering(bench)
    const { stdout, stderr } = await bench.spawn(['check', ...endArguments(source, target), '--differ', '-'])
    expect([stdout, stderr]).toEqual([`${line('*', newer)}\n`, expect.stringContaining('differences (5)')])
  })

  it('escapes the identifier of a stranger', async () => {
    const bench = createWorkbench()
    const evil = smallRepository({ d: 'x\u001b[2J\n+ fake' })
    const source = await bench.scripted({ events: [...mine.events, ...evil.events] })
    const target = await bench.scripted({ events: mine.events })
    await bench.run(['check', ...endArguments(source, target), '--combined', bench.path('combined')])
    const text = readFileSync(bench.path('combined'), 'utf8')
    expect(text).not.toContain('\u001b')
    expect(lines(bench.path('combined'))).toHaveLength(4)
  })

  it('refuses one file for two lists', async () => {
    const bench = createWorkbench()
    const ends = endArguments('a.jsonl', 'b.jsonl')
    const { code, stderr } = await bench.run(['check', ...ends, '--differ', 'same', '--error', './same'])
    expect([code, stderr]).toEqual([2, expect.stringContaining('--error names a file that is used otherwise')])
  })
})
