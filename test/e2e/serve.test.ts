import { createServer } from 'node:net'

import { describe, expect, it, onTestFinished } from 'vitest'

import type { NostrEvent } from '../../src/nostr/event.ts'
import { comment, deletion, issue } from '../support/builders.ts'
import { generateHistory } from '../support/generate.ts'
import { reportSchema } from '../support/report-schema.ts'
import type { LiveCli } from '../support/run-cli.ts'
import { bob, carol, smallRepository } from '../support/scenes.ts'
import { forge, signEvent } from '../support/sign.ts'
import { connectTiny, type TinyClient } from '../support/tiny-client.ts'
import { waitFor } from '../support/wait-for.ts'
import { createWorkbench, endArguments, idsOf, type End, type Workbench } from '../support/workbench.ts'

const HISTORY = [...generateHistory({ repositories: 3, rootsPerRepository: 4, commentsPerRoot: 3 })]
const repository = smallRepository()

/** Starts `serve` at any free port. */
function startServe(bench: Workbench, sources: End | readonly End[], target: End, ...args: readonly string[]): LiveCli {
  return bench.start(['serve', '--listen', '127.0.0.1:0', ...endArguments(sources, target), ...args])
}

/** Where it serves, once it does. */
function urlOf(cli: LiveCli): Promise<string> {
  return waitFor(() => /serving .* at (ws:\/\/127\.0\.0\.1:\d+), read-only/.exec(cli.stderr())?.[1], {
    timeoutMs: 20_000,
    what: 'the address',
  })
}

async function connect(url: string): Promise<TinyClient> {
  const client = await connectTiny(url)
  onTestFinished(() => client.close())
  return client
}

/** A relay that pulls by itself, played by another `catchup` that has a state of its own. */
async function pull(url: string, target: End, ...args: readonly string[]) {
  return createWorkbench().catchup({ url }, target, ...args)
}

function newestFirst(events: readonly NostrEvent[]): string[] {
  return events.toSorted((a, b) => b.created_at - a.created_at || (a.id < b.id ? -1 : 1)).map(({ id }) => id)
}

describe('serve', () => {
  it('ends 0 once the target has taken everything by itself, and a catchup then has nothing to do', async () => {
    const bench = createWorkbench()
    const sources = [
      await bench.real({ events: HISTORY.filter((_, n) => n % 2 === 0) }),
      await bench.real({ events: HISTORY.filter((_, n) => n % 3 !== 0 || n % 2 !== 0) }),
    ]
    const target = await bench.real()
    const cli = startServe(bench, sources, target, '--json')
    const pulled = await pull(await urlOf(cli), target)
    expect([pulled.code, pulled.report.totals.published]).toEqual([0, HISTORY.length])
    expect(pulled.report.sources[0]?.layers[0]?.mode).toBe('reconcile')
    const { code, json } = await cli.finished
    const report = reportSchema.parse(json())
    expect([code, report.command, report.complete]).toEqual([0, 'serve', true])
    expect(report.totals).toMatchObject({ published: 0, accepted: HISTORY.length, parked: 0, refused: 0 })
    expect(idsOf(target.events())).toEqual(idsOf(HISTORY))
    expect(bench.spool()).toEqual([])
    const next = await bench.catchup(sources, target)
    expect([next.code, next.report.totals.published]).toEqual([0, 0])
    expect(next.report.range.completeSince).not.toBeNull()
  })

  it('serves nobody and ends 0 when the target lacks nothing', async () => {
    const bench = createWorkbench()
    const target = await bench.real({ events: HISTORY })
    const { code, stdout, stderr } = await startServe(bench, await bench.real({ events: HISTORY }), target).finished
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain('complete (0): the target already held all')
  })

  it('serves pages newest first, ties by lowest id, with inclusive bounds and no more than 500 rows', async () => {
    const bench = createWorkbench()
    const many = Array.from({ length: 520 }, (_, n) =>
      issue(repository.address, bob, { content: `${n}`, createdAt: 2_000 + (n >> 1) }),
    )
    const source = await bench.real({ events: [...repository.events, ...many] })
    const cli = startServe(bench, source, await bench.real())
    const client = await connect(await urlOf(cli))
    const kinds = [1621]
    expect((await client.query({ kinds, until: 3_000 })).map(({ id }) => id)).toEqual(newestFirst(many).slice(0, 500))
    expect(idsOf(await client.query({ kinds, since: 2_010, until: 2_011, limit: 3 }))).toHaveLength(3)
    expect(idsOf(await client.query({ kinds, since: 2_010, until: 2_011 }))).toHaveLength(4)
    expect(idsOf(await client.query({ ids: [repository.comment.id] }, { '#E': [repository.issue.id] }))).toEqual([
      repository.comment.id,
    ])
    client.send('COUNT', 'all', { kinds }, { ids: [many[0]?.id ?? ''] })
    expect(await client.next('COUNT', 'all')).toEqual(['COUNT', 'all', { count: 521 }])
    cli.kill('SIGINT')
    await cli.finished
  })

  it('says in NIP-11 what it is, and refuses every EVENT', async () => {
    const bench = createWorkbench()
    const cli = startServe(bench, await bench.real({ events: repository.events }), await bench.real())
    const url = await urlOf(cli)
    const answer = await fetch(url.replace('ws:', 'http:'), { headers: { accept: 'application/nostr+json' } })
    expect(await answer.json()).toMatchObject({
      name: 'ngit-sync serve',
      supported_nips: [1, 11, 45, 77],
      limitation: { max_limit: 500, max_subscriptions: 1000, restricted_writes: true },
    })
    const client = await connect(url)
    const other = issue(repository.address, carol, { content: 'mine too' })
    expect(await client.publish(other)).toEqual([false, 'restricted: read-only: ngit-sync serve takes no events'])
    expect(await client.query({ ids: [other.id] })).toEqual([])
    cli.kill('SIGINT')
    await cli.finished
  })

  it('serves what is verified and wanted only: nothing forged, deleted or out of scope', async () => {
    const bench = createWorkbench()
    const other = smallRepository({ d: 'other', startAt: 1_700_000_000 })
    const withdrawn = issue(repository.address, bob, { content: 'never mind' })
    const removal = deletion({ ids: [withdrawn.id] }, bob)
    const forged = forge(comment(repository.issue, carol, { content: 'not hers' }))
    const wanted = [...repository.events, removal]
    const source = await bench.scripted({ events: [...wanted, ...other.events, withdrawn, forged] })
    const cli = startServe(bench, source, await bench.real(), '--repo', repository.address)
    const served = await (await connect(await urlOf(cli))).query({})
    expect(idsOf(served)).toEqual(idsOf(wanted))
    cli.kill('SIGINT')
    await cli.finished
  })

  it('also serves what the target holds already, where something that it lacks belongs to it', async () => {
    const bench = createWorkbench()
    const other = smallRepository({ d: 'other' })
    const target = await bench.real({ events: [repository.announced, repository.issue, ...other.events] })
    const cli = startServe(bench, await bench.real({ events: [...repository.events, ...other.events] }), target)
    const client = await connect(await urlOf(cli))
    expect(idsOf(await client.query({}))).toEqual(idsOf(repository.events))
    cli.kill('SIGINT')
    await cli.finished
  })

  it('does not pass on what the target holds with a wrong signature', async () => {
    const bench = createWorkbench()
    const { announced, state, issue: root, address } = repository
    const tags = [
      ['a', address],
      ['e', root.id],
    ]
    const remark = signEvent(carol, { kind: 1, created_at: root.created_at + 60, tags, content: 'me too' })
    const damaged = { ...root, sig: '0'.repeat(128) }
    const target = await bench.scripted({ events: [announced, damaged] })
    const cli = startServe(bench, await bench.scripted({ events: [announced, state, remark] }), target)
    const client = await connect(await urlOf(cli))
    expect(idsOf(await client.query({}))).toEqual(idsOf([announced, state, remark]))
    cli.kill('SIGINT')
    await cli.finished
  })

  it('ends 3 when --max-duration has passed; a catchup then sends what was not taken', async () => {
    const bench = createWorkbench()
    const [source, target] = [await bench.real({ events: repository.events }), await bench.real()]
    const cli = startServe(bench, source, target, '--max-duration', '3s')
    await urlOf(cli)
    const { code, stdout } = await cli.finished
    const text = stdout.replaceAll(/\s+/g, ' ')
    expect([code, bench.checkpoints().length > 0]).toEqual([3, true])
    expect(text).toContain('partial (3): the time was up and 4 events wait on disk; no events taken by the target.')
    expect(text).toContain('4 unsent at')
    expect(text).toContain('not taken by the target before --max-duration had passed')
    expect(text).toContain('the next serve offers it, and the next catchup sends it')
    expect(bench.spool().map(({ state, outcome }) => [state, outcome])).toEqual(
      repository.events.map(() => ['parked', 'unsent']),
    )
    const next = await bench.catchup(source, target)
    expect([next.code, next.report.totals.accepted]).toEqual([0, 4])
    expect(idsOf(target.events())).toEqual(idsOf(repository.events))
  })

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('keeps everything on disk when %s ends it', async (signal, expected) => {
    const bench = createWorkbench()
    const cli = startServe(bench, await bench.real({ events: repository.events }), await bench.real())
    await urlOf(cli)
    cli.kill(signal)
    expect((await cli.finished).code).toBe(expected)
    expect(idsOf(bench.spool())).toEqual(idsOf(repository.events))
  })

  it('loses nothing when it is killed', async () => {
    const bench = createWorkbench()
    const [source, target] = [await bench.real({ events: HISTORY }), await bench.real()]
    const cli = startServe(bench, source, target)
    await urlOf(cli)
    cli.kill('SIGKILL')
    await cli.finished
    expect(bench.checkpoints()).toEqual([])
    const next = await bench.catchup(source, target)
    expect([next.code, idsOf(target.events())]).toEqual([0, idsOf(HISTORY)])
  })

  it('outlives restarts of the target, which it asks for', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: HISTORY })
    const target = await bench.real({ ownProcess: true })
    const cli = startServe(bench, source, target, '--json', '--retries', '0', '--verbose')
    const url = await urlOf(cli)
    await target.stop()
    await waitFor(() => /not connected/.test(cli.stderr()), { timeoutMs: 20_000 })
    await target.restart()
    expect((await pull(url, target)).code).toBe(0)
    const { code, json } = await cli.finished
    expect([code, reportSchema.parse(json()).totals.accepted]).toEqual([0, HISTORY.length])
  })

  it('sends ngit-grasp the states, once it has come to read, and nothing else', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: HISTORY })
    const target = await bench.real({ software: 'https://gitworkshop.dev/danconwaydev.com/ngit-grasp' })
    const states = HISTORY.filter(({ kind }) => kind === 30618)
    const cli = startServe(bench, source, target, '--scope', 'all', '--json', '--stats', '100ms')
    const url = await urlOf(cli)
    await waitFor(() => cli.stderr().includes(`the target has 0/${HISTORY.length}`))
    expect(target.events()).toEqual([])
    await connect(url)
    await waitFor(() => target.events().length > 0, { timeoutMs: 20_000 })
    await waitFor(() => cli.stderr().includes(`the target has ${states.length}/`), { timeoutMs: 20_000 })
    expect(idsOf(target.events())).toEqual(idsOf(states))
    expect((await pull(url, target, '--scope', 'all')).code).toBe(0)
    const { code, json } = await cli.finished
    const { totals } = reportSchema.parse(json())
    expect([code, totals.published, totals.accepted]).toEqual([0, states.length, HISTORY.length])
  })

  it('tells the operator what to do, by the software of the target', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: repository.events })
    const told = async (software: string): Promise<string> => {
      const target = await bench.real({ software })
      const cli = startServe(bench, source, target, '--scope', 'all')
      const url = await urlOf(cli)
      cli.kill('SIGINT')
      return (await cli.finished).stderr.replaceAll(url, 'URL')
    }
    expect(await told('https://gitworkshop.dev/danconwaydev.com/ngit-grasp')).toContain(
      'NGIT_SYNC_BOOTSTRAP_RELAY_URL=URL\n',
    )
    expect(await told('git+https://github.com/hoytech/strfry.git')).toContain('strfry sync URL --dir down\n')
    const other = await told('some relay')
    for (const part of ['NGIT_SYNC_BOOTSTRAP_RELAY_URL=URL', 'strfry sync URL --dir down'])
      expect(other).toContain(part)
  })

  it('says at once that the address is taken, or is none', async () => {
    const bench = createWorkbench()
    const taken = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void taken.close())
    await waitFor(() => taken.listening)
    const address = taken.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const ends = endArguments(await bench.real(), await bench.real())
    const result = await bench.spawn(['serve', ...ends, '--listen', `127.0.0.1:${port}`])
    expect(result.code).toBe(1)
    expect(result.stderr).toContain(`error: listen at 127.0.0.1:${port}: `)
    expect(result.stderr).toContain('another program listens there')
    const wrong = await bench.spawn([
      'serve',
      '--source',
      'a.jsonl',
      '--target',
      'b.jsonl',
      '--listen',
      'example.org:80',
    ])
    expect(wrong.code).toBe(2)
    expect(wrong.stderr).toContain('--listen "example.org:80" is not an address with a port')
    expect(wrong.stderr).toContain('--target is no relay: serve needs one that takes events by itself')
  })
})
