import { npubEncode } from 'nostr-tools/nip19'
import { describe, expect, it } from 'vitest'

import { announcement } from '../support/builders.ts'
import { alice, bob, smallRepository } from '../support/scenes.ts'
import { createWorkbench, endArguments } from '../support/workbench.ts'

const ALICE = npubEncode(alice.pubkey)
const BOB = npubEncode(bob.pubkey)

describe.each([
  ['catchup', []],
  ['catchup', ['--quiet']],
  ['catchup', ['--json']],
  ['catchup', ['--dry-run']],
  ['backfill', ['--since', '1y']],
  ['check', []],
])('%s with a name that nobody announces (%j)', (command, flags) => {
  it('is wrong usage, and says which repositories the author does announce (no false green #6)', async () => {
    const bench = createWorkbench()
    const others = ['first', 'second', 'x\u001b[2Jx'].map((d, index) =>
      announcement(alice, d, { createdAt: 100 + index }),
    )
    const source = await bench.scripted({ events: [...smallRepository().events, ...others] })
    const target = await bench.scripted()
    const args = [command, ...endArguments(source, target), ...flags.map((flag) => flag.replace('1y', '1Y'))]
    const { code, stdout, stderr } = await bench.run([...args, '--repo', `${ALICE}/nothing-like-it`])
    expect(code).toBe(2)
    if (flags.includes('--json')) expect(JSON.parse(stdout)).toMatchObject({ exit: 2 })
    else expect(stdout).toBe('')
    expect(stderr).toContain(
      `error: no source announces ${ALICE}/nothing-like-it, nor does the target: the author announces hello, x\\x1b[2Jx, second, first\n`,
    )
  })
})

describe('a scope by name', () => {
  it('suggests the identifier that is spelt alike, also when another name is right (no false green #6)', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.scripted({ events: smallRepository().events }), bench.scripted()])
    const repos = ['--repo', `${ALICE}/hello`, `${ALICE}/helo`]
    const { code, stderr } = await bench.run(['catchup', ...endArguments(source, target), ...repos])
    expect([code, target.events.size]).toEqual([2, 0])
    expect(stderr).toContain(`no source announces ${ALICE}/helo, nor does the target: did you mean hello?`)
  })

  it('refuses an author who announces nothing (no false green #6)', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.scripted({ events: smallRepository().events }), bench.scripted()])
    const { code, stderr } = await bench.run(['catchup', '--quiet', ...endArguments(source, target), '--author', BOB])
    expect(code).toBe(2)
    expect(stderr).toContain(`no source announces a repository of ${BOB}, nor does the target: check --author`)
  })

  it('names five of many repositories, and counts the others', async () => {
    const bench = createWorkbench()
    const many = Array.from({ length: 9 }, (_, index) => announcement(alice, `repo-${index}`, { createdAt: index }))
    const [source, target] = await Promise.all([bench.scripted({ events: many }), bench.scripted()])
    const { stderr } = await bench.run(['catchup', ...endArguments(source, target), '--repo', `${ALICE}/zzzzzzzzzz`])
    expect(stderr).toContain('the author announces repo-8, repo-7, repo-6, repo-5, repo-4 and 4 more\n')
  })

  it('blames the source where a source could not be read', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.scripted({ events: smallRepository().events }), bench.scripted()])
    const ends = endArguments([source, 'ws://127.0.0.1:1'], target)
    const { code, stdout } = await bench.run(['catchup', ...ends, '--retries', '0', '--repo', `${ALICE}/typo`])
    expect(code).toBe(3)
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain(
      `No announcement of ${ALICE}/typo was found in what could be read.`,
    )
  })

  it('takes what only the target announces, and goes on when an author has deleted a repository that was there', async () => {
    const bench = createWorkbench()
    const { events } = smallRepository()
    const [source, target] = await Promise.all([bench.scripted(), bench.scripted({ events })])
    const args = ['catchup', ...endArguments(source, target), '--repo', `${ALICE}/hello`]
    const first = await bench.run(args)
    target.events.clear()
    const second = await bench.run(args)
    expect([first.code, second.code === 2]).toEqual([0, false])
  })
})
