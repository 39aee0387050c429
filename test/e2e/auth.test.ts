import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { encrypt } from 'nostr-tools/nip49'
import { nsecEncode } from 'nostr-tools/nip19'
import { describe, expect, it } from 'vitest'

import type { Report } from '../../src/report/report.ts'
import { issue } from '../support/builders.ts'
import { carol, smallRepository } from '../support/scenes.ts'
import type { ScriptedRelay } from '../support/scripted-relay.ts'
import { keyOf } from '../support/sign.ts'
import { createWorkbench, endArguments, idsOf, type Workbench } from '../support/workbench.ts'

const operator = keyOf('operator')
const HEX = Buffer.from(operator.secret).toString('hex')
const NSEC = nsecEncode(operator.secret)
const PASSWORD = 'correct horse battery staple'
// The cheapest scrypt: 2^1.
const NCRYPTSEC = encrypt(operator.secret, PASSWORD, 1)
const mine = smallRepository()

function secretFile(bench: Workbench, name: string, text: string): string {
  writeFileSync(bench.path(name), text, { mode: 0o600 })
  return bench.path(name)
}

function authors(relay: ScriptedRelay): string[] {
  return relay.received.auths.map(({ pubkey }) => pubkey)
}

describe('a source that wants to know who reads', () => {
  it('is read with the key in a file; each connection answers its challenge once, for the URL that was dialled', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: mine.events, requireAuth: ['read'] })
    const target = await bench.scripted()
    const keyFile = secretFile(bench, 'key', `${NSEC}\n`)
    const { code, report, stderr } = await bench.catchup(source, target, '--key-file', keyFile)
    expect(idsOf(target.events.values())).toEqual(idsOf(mine.events))
    expect([code, report.problems, stderr]).toEqual([0, [], ''])
    expect(authors(source)).toEqual(Array.from({ length: source.received.connections }, () => operator.pubkey))
    expect(source.received.auths[0]?.tags).toContainEqual(['relay', source.url])
    expect(authors(target)).toEqual([])
  })

  it('is not read without a key: the report names it and says what to do, the others are read', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: mine.events, requireAuth: ['read'] })
    const open = await bench.scripted({ events: mine.events.slice(0, 2) })
    const target = await bench.scripted()
    const { code, report } = await bench.catchup([source, open], target)
    expect(code).toBe(3)
    expect(report.problems.filter(({ what }) => what === 'key')).toMatchObject([
      { where: source.url, reason: 'auth-required: we only serve authenticated clients' },
    ])
    expect(report.sources.map(({ complete }) => complete)).toEqual([false, true])
    expect(bench.checkpoints(source)).toEqual([])
    const { stdout } = await bench.run(['catchup', ...endArguments([source, open], target)])
    expect(stdout).toContain(`key ${source.url}`)
    expect(stdout).toContain('--key-file FILE')
  })

  it('repeats a REQ once and no more when the relay does not let the key in', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({
      events: mine.events,
      requireAuth: ['read'],
      closeReq: () => 'auth-required: not you',
    })
    const { code, report } = await bench.catchup(
      source,
      await bench.scripted(),
      '--key-file',
      secretFile(bench, 'key', HEX),
    )
    expect(code).toBe(3)
    expect(report.problems).toContainEqual(expect.objectContaining({ what: 'key', reason: 'auth-required: not you' }))
    const asked = source.received.reqs.map(({ filters }) => JSON.stringify(filters))
    for (const filters of new Set(asked)) expect(asked.filter((each) => each === filters).length).toBeLessThanOrEqual(2)
  })
})

describe('a source that asks who we are, and answers EOSE to strangers', () => {
  /** Shows nothing to whom it does not know. Refuses every key when it is told so. */
  async function hiding(bench: Workbench, refusal?: string) {
    return bench.scripted({
      events: mine.events,
      requireAuth: ['write'],
      onReq: ({ answer }) => (source.isKnown ? 'default' : { ...answer, rows: [] }),
      outgoing: (frame) => {
        if (frame[0] !== 'OK') return [frame]
        source.isKnown = refusal === undefined
        return [refusal === undefined ? frame : ['OK', frame[1], false, refusal]]
      },
    })
  }
  const source = { isKnown: false }

  it('is read whole with a key, which it is told before the first REQ (no false green #3)', async () => {
    source.isKnown = false
    const bench = createWorkbench()
    const [relay, target] = await Promise.all([hiding(bench), bench.scripted()])
    const { code } = await bench.catchup(relay, target, '--key-file', secretFile(bench, 'key', HEX))
    expect([code, idsOf(target.events.values())]).toEqual([0, idsOf(mine.events)])
  })

  it('is named in a note without a key (no false green #3)', async () => {
    source.isKnown = false
    const bench = createWorkbench()
    const [relay, target] = await Promise.all([hiding(bench), bench.scripted()])
    const { report } = await bench.catchup(relay, target)
    expect(report.notes.join()).toContain(`${relay.url} asks who we are and was not told`)
  })

  it('is named with its words when it refuses the key, and with what may be the cause (no false green #3)', async () => {
    source.isKnown = false
    const bench = createWorkbench()
    const relay = await hiding(bench, 'invalid: relay tag does not match')
    const { report } = await bench.catchup(relay, await bench.scripted(), '--key-file', secretFile(bench, 'key', HEX))
    expect(report.notes.join()).toContain('it refused our key: invalid: relay tag does not match')
    expect(report.notes.join()).toContain('public name')
  })
})

describe('a target that wants to know who writes', () => {
  it.each([[['write']], [['read']], [['read', 'write']]] as const)('takes %j with the key', async (requireAuth) => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: mine.events })
    const target = await bench.scripted({ requireAuth })
    const { code, report } = await bench.catchup(source, target, '--key-file', secretFile(bench, 'key', HEX))
    expect(idsOf(target.events.values())).toEqual(idsOf(mine.events))
    expect([code, report.problems]).toEqual([0, []])
  })

  it('is told who we are first, so that nothing is refused and sent again', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: mine.events })
    const target = await bench.scripted({ requireAuth: ['write'] })
    await bench.catchup(source, target, '--key-file', secretFile(bench, 'key', HEX))
    expect(mine.events.map(({ id }) => target.countSends(id)).sort()).toEqual([1, 1, 1, 1])
  })

  it.each([
    ['write', 'auth-required: you must auth'],
    ['read', 'auth-required: we only serve authenticated clients'],
  ] as const)('is the door without a key (%s): exit 1, everything parked, and the way in', async (what, reason) => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: mine.events })
    const target = await bench.scripted({ requireAuth: [what] })
    const { code, report } = await bench.catchup(source, target)
    expect(code).toBe(1)
    expect(report.problems).toContainEqual(expect.objectContaining({ what: 'key', where: target.url, reason }))
    expect([...target.events.values()]).toEqual([])
    const { stdout } = await bench.run(['catchup', ...endArguments(source, target)])
    expect(stdout).toContain('--key-file FILE')
    target.behaviour.requireAuth = []
    expect((await bench.catchup(source, target)).code).toBe(0)
    expect(idsOf(target.events.values())).toEqual(idsOf(mine.events))
  })
})

describe('the key', () => {
  type Given = { readonly args?: readonly string[]; readonly env?: Readonly<Record<string, string>> }

  it.each<[name: string, give: (bench: Workbench) => Given]>([
    ['hex in NGIT_SYNC_KEY', () => ({ env: { NGIT_SYNC_KEY: HEX } })],
    ['nsec in a file named by NGIT_SYNC_KEY_FILE', (b) => ({ env: { NGIT_SYNC_KEY_FILE: secretFile(b, 'k', NSEC) } })],
    [
      'ncryptsec with a password in a file',
      (b) => ({
        args: ['--key-file', secretFile(b, 'k', NCRYPTSEC), '--key-password-file', secretFile(b, 'p', `${PASSWORD}\n`)],
      }),
    ],
    [
      'ncryptsec with a password in NGIT_SYNC_KEY_PASSWORD',
      () => ({ env: { NGIT_SYNC_KEY: NCRYPTSEC, NGIT_SYNC_KEY_PASSWORD: PASSWORD } }),
    ],
  ])('may be %s', async (_, give) => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: mine.events, requireAuth: ['read'] })
    const target = await bench.scripted()
    const { args = [], env = {} } = give(bench)
    const { code } = await bench.run(['catchup', ...endArguments(source, target), ...args], { env })
    expect([code, new Set(authors(source))]).toEqual([0, new Set([operator.pubkey])])
  })

  it('in a file that others can read is used with a warning that names the mode', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: mine.events, requireAuth: ['read'] })
    writeFileSync(bench.path('key'), NSEC, { mode: 0o644 })
    const args = ['catchup', ...endArguments(source, await bench.scripted()), '--key-file', bench.path('key')]
    const { code, stderr } = await bench.run(args)
    expect(code).toBe(0)
    expect(stderr).toBe(
      `warning: the key file ${bench.path('key')} can be read by other users (mode 0644): chmod 600 it\n`,
    )
  })

  it.each<[name: string, args: readonly string[], env: Readonly<Record<string, string>>]>([
    ['as an argument', ['--key', NSEC], {}],
    ['as an argument after =', [`--key=${NSEC}`], {}],
    ['as a word', [NSEC], {}],
    ['as the name of its file', ['--key-file', NSEC], {}],
    ['as the name of its file, encrypted', ['--key-file', NCRYPTSEC], {}],
    ['as the name of its file, in hex', ['--key-file', HEX], {}],
    ['damaged', [], { NGIT_SYNC_KEY: `${NSEC}q` }],
    ['encrypted, without its password', [], { NGIT_SYNC_KEY: NCRYPTSEC }],
    ['encrypted, with a wrong password', [], { NGIT_SYNC_KEY: NCRYPTSEC, NGIT_SYNC_KEY_PASSWORD: `${PASSWORD}!` }],
    ['given twice', [], { NGIT_SYNC_KEY: NSEC, NGIT_SYNC_KEY_FILE: 'key' }],
  ])('%s is wrong usage, and is not repeated', async (_, args, env) => {
    const bench = createWorkbench()
    const { code, stdout, stderr } = await bench.run(
      ['catchup', '--source', 'a.jsonl', '--target', 'b.jsonl', ...args],
      { env },
    )
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr.split('\n').filter((line) => line.startsWith('error: '))).toHaveLength(1)
    for (const secret of [NSEC, NCRYPTSEC, HEX, PASSWORD]) expect(stderr).not.toContain(secret)
  })
})

describe('secrets', () => {
  it('stand in no output and in no file of a run, whatever happens in it', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: mine.events, requireAuth: ['read'] })
    const target = await bench.scripted({
      requireAuth: ['read', 'write'],
      onEvent: ({ kind }) => (kind === 1111 ? { ok: false, text: 'error: database error' } : 'default'),
    })
    const outputs: string[] = []
    const files = ['key', 'password']
    const key = ['--key-file', secretFile(bench, 'key', NCRYPTSEC)]
    const password = ['--key-password-file', secretFile(bench, 'password', PASSWORD)]
    const ends = endArguments(source, target)
    for (const args of [
      ['catchup', ...ends, '--verbose'],
      ['catchup', ...ends, '--json', '--full'],
      ['retry', '--target', target.url, '--verbose'],
      ['catchup', ...ends, '--dry-run'],
    ]) {
      const { stdout, stderr } = await bench.spawn([...args, ...key, ...password], { env: { NGIT_SYNC_KEY: NSEC } })
      outputs.push(stdout, stderr)
    }
    const { stdout } = await bench.run(['status', '--parked', '--json'])
    expect(JSON.parse(stdout)).toMatchObject({ parked: [{ outcome: 'waiting' }] })
    outputs.push(stdout)
    const directory = bench.path('.')
    for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
      if (!files.includes(name) && !name.endsWith('locks')) outputs.push(readFileSync(join(directory, name), 'latin1'))
    }
    const raw = Buffer.from(operator.secret).toString('latin1')
    expect(outputs.length).toBeGreaterThan(9)
    for (const secret of [NSEC, NCRYPTSEC, HEX, HEX.toUpperCase(), raw, PASSWORD]) {
      expect(outputs.filter((text) => text.includes(secret))).toEqual([])
    }
    expect(new Set([...authors(source), ...authors(target)])).toEqual(new Set([operator.pubkey]))
  })

  it('the key signs for no relay that did not ask', async () => {
    const bench = createWorkbench()
    const late = issue(mine.address, carol)
    const source = await bench.scripted({ events: [...mine.events, late] })
    const target = await bench.scripted()
    const { code, report } = await bench.catchup(source, target, '--key-file', secretFile(bench, 'key', NSEC))
    expect([code, (report satisfies Report).totals.accepted]).toEqual([0, 5])
    expect([...authors(source), ...authors(target)]).toEqual([])
  })
})
