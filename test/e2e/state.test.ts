import { copyFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

import { describe, expect, it } from 'vitest'

import { Sqlite } from '../../src/sqlite.ts'
import { comment, deletion, issue } from '../support/builders.ts'
import { generateHistory } from '../support/generate.ts'
import { bob, carol, readingFilters, smallRepository } from '../support/scenes.ts'
import { startMuteServer } from '../support/mute-server.ts'
import type { RealRelay } from '../support/real-relay.ts'
import { runCli } from '../support/run-cli.ts'
import { createWorkbench, endArguments, idsOf, nowSeconds } from '../support/workbench.ts'
import { waitFor } from '../support/wait-for.ts'

const mine = smallRepository()

/** A copy of the relay's database as it is now, the write-ahead log included. */
function backUp(relay: RealRelay, copy: string): void {
  const db = new Sqlite(relay.file)
  db.pragma('wal_checkpoint(TRUNCATE)')
  db.close()
  copyFileSync(relay.file, copy)
}

/** Puts a copy in the place of the relay's database and starts the relay again. */
async function restore(relay: RealRelay, copy: string): Promise<void> {
  await relay.stop()
  for (const suffix of ['-wal', '-shm']) rmSync(`${relay.file}${suffix}`, { force: true })
  copyFileSync(copy, relay.file)
  await relay.restart()
}

describe('a target whose database is replaced', () => {
  it('by a copy from two runs ago is read against in full a minute later, and completes', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.scripted({ events: mine.events }), bench.real()])
    await bench.catchup(source, target)
    backUp(target, bench.path('backup.db'))
    const second = issue(mine.address, carol, { createdAt: nowSeconds() - 10 })
    source.events.set(second.id, second)
    await bench.catchup(source, target)
    const third = comment(second, bob, { createdAt: nowSeconds() })
    source.events.set(third.id, third)
    await bench.catchup(source, target)
    await restore(target, bench.path('backup.db'))
    expect(idsOf(target.events())).toEqual(idsOf(mine.events))
    bench.letPass(60)
    source.forgetReceived()
    const { code, report } = await bench.catchup(source, target)
    expect(idsOf(target.events())).toEqual(idsOf([...mine.events, second, third]))
    expect(new Set(readingFilters(source).map(({ since }) => since))).toEqual(new Set([undefined]))
    expect(report.notes.join()).toMatch(/target no longer serves \d+ of the events.*everything is read/)
    expect(report.range.completeSince).toBeNull()
    expect(code).toBe(0)
  })

  it('by an empty one is filled again', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.real({ events: mine.events }), bench.real()])
    backUp(target, bench.path('empty.db'))
    await bench.catchup(source, target)
    await restore(target, bench.path('empty.db'))
    const { code } = await bench.catchup(source, target)
    expect(idsOf(target.events())).toEqual(idsOf(mine.events))
    expect(code).toBe(0)
  })

  it('is trusted again in the run after: that one is quick and sends nothing', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.scripted({ events: mine.events }), bench.scripted()])
    await bench.catchup(source, target)
    target.events.clear()
    await bench.catchup(source, target)
    source.forgetReceived()
    target.forgetReceived()
    const { code, report } = await bench.catchup(source, target)
    expect(readingFilters(source).every(({ since }) => since !== undefined)).toBe(true)
    expect([code, report.notes, target.received.events]).toEqual([0, [], []])
  })

  it('is not suspected because an event was deleted by its author', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.scripted({ events: mine.events }), bench.scripted()])
    await bench.catchup(source, target)
    const gone = deletion({ ids: [mine.comment.id] }, carol, { createdAt: nowSeconds() })
    for (const relay of [source, target]) {
      relay.events.delete(mine.comment.id)
      relay.events.set(gone.id, gone)
    }
    source.forgetReceived()
    const { report } = await bench.catchup(source, target)
    expect(readingFilters(source).every(({ since }) => since !== undefined)).toBe(true)
    expect(report.notes).toEqual([])
  })

  it('is not suspected because an event has expired', async () => {
    const bench = createWorkbench()
    const brief = comment(mine.issue, bob, { tags: [['expiration', String(nowSeconds() + 3)]] })
    const [source, target] = await Promise.all([bench.scripted({ events: [...mine.events, brief] }), bench.scripted()])
    await bench.catchup(source, target)
    expect(target.events.has(brief.id)).toBe(true)
    await waitFor(() => nowSeconds() > Number(brief.tags.at(-1)?.[1]), { timeoutMs: 10_000 })
    target.events.delete(brief.id)
    const { report } = await bench.catchup(source, target)
    expect(report.notes).toEqual([])
  })
})

describe('a source whose database is replaced', () => {
  it('and that serves nothing of what it had, loses its own checkpoints and is named', async () => {
    const bench = createWorkbench()
    const other = smallRepository({ owner: bob, d: 'other', startAt: 1_600_000_000 })
    const [wiped, kept] = await Promise.all([
      bench.scripted({ events: mine.events }),
      bench.scripted({ events: other.events }),
    ])
    const target = await bench.real()
    await bench.catchup([wiped, kept], target)
    wiped.events.clear()
    for (const relay of [wiped, kept]) relay.forgetReceived()
    const { report } = await bench.catchup([wiped, kept], target)
    expect(new Set(readingFilters(wiped).map(({ since }) => since))).toEqual(new Set([undefined]))
    expect(readingFilters(kept).every(({ since }) => since !== undefined)).toBe(true)
    expect(report.problems).toMatchObject([{ what: 'source', where: wiped.url }])
  })
})

describe('the lock of a target', () => {
  it('lets one run at a time through: the second ends with 4 and names the first', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: mine.events })
    const target = await bench.scripted({ onEvent: () => 'silent' })
    const first = bench.start(['catchup', ...endArguments(source, target)])
    await waitFor(() => target.received.events.length > 0, { timeoutMs: 20_000 })
    const { code, stdout, stderr } = await bench.catchup(source, target)
    expect([code, stdout]).toEqual([4, ''])
    expect(stderr).toContain(`process ${first.pid} on `)
    expect(stderr).toContain(target.url)
  })

  it('is not in the way of another target with the same state file', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: mine.events })
    const [stalled, other] = await Promise.all([bench.scripted({ onEvent: () => 'silent' }), bench.real()])
    bench.start(['catchup', ...endArguments(source, stalled)])
    await waitFor(() => stalled.received.events.length > 0, { timeoutMs: 20_000 })
    const { code } = await bench.catchup(source, other)
    expect(code).toBe(0)
    expect(idsOf(other.events())).toEqual(idsOf(mine.events))
  })

  it('falls with the process that held it', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events: mine.events })
    const target = await bench.scripted({ onEvent: () => 'silent' })
    const first = bench.start(['catchup', ...endArguments(source, target)])
    await waitFor(() => target.received.events.length > 0, { timeoutMs: 20_000 })
    first.kill('SIGKILL')
    await first.finished
    delete target.behaviour.onEvent
    expect((await bench.catchup(source, target)).code).toBe(0)
  })
})

describe('the state file', () => {
  it.each([
    ['named', 'new/directory/state.db'],
    ['in its default place', 'xdg/ngit-sync/state.db'],
  ])('%s is for its owner only, and so is the directory that is made for it', async (_where, name) => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.real({ events: mine.events }), bench.real()])
    const env: Record<string, string> = name.startsWith('xdg') ? {} : { NGIT_SYNC_STATE: bench.path(name) }
    const { code } = await runCli(['catchup', ...endArguments(source, target)], { env, stateDir: bench.path('xdg') })
    expect(code).toBe(0)
    expect(statSync(bench.path(name)).mode & 0o777).toBe(0o600)
    expect(statSync(dirname(bench.path(name))).mode & 0o777).toBe(0o700)
  })

  it('that is damaged is named with the way out, exit 1, and is left as it is', async () => {
    const bench = createWorkbench()
    writeFileSync(bench.stateFile, 'this is no database, whatever it is called'.repeat(100))
    const [source, target] = await Promise.all([bench.real({ events: mine.events }), bench.real()])
    const { code, stdout, stderr } = await bench.catchup(source, target)
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(new RegExp(`read state ${bench.stateFile}: .*\\nhint: move `))
    expect(statSync(bench.stateFile).size).toBe(4_200)
    expect(target.events()).toEqual([])
  })

  it('of a newer version is refused', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.real({ events: mine.events }), bench.real()])
    await bench.catchup(source, target)
    bench.database((db) => db.pragma('user_version = 99'))
    const { code, stderr } = await bench.catchup(source, target)
    expect(code).toBe(1)
    expect(stderr).toContain('newer version')
  })

  it('that cannot be made is named, exit 1', async () => {
    const bench = createWorkbench()
    const file = bench.path('a-file/state.db')
    writeFileSync(bench.path('a-file'), '')
    const [source, target] = await Promise.all([bench.scripted({ events: mine.events }), bench.scripted()])
    const { code, stdout, stderr } = await runCli(['catchup', ...endArguments(source, target), '--state', file])
    expect([code, stdout, target.received.events]).toEqual([1, '', []])
    expect(stderr).toContain(bench.path('a-file'))
  })
})

describe('kill -9', () => {
  const events = [...generateHistory({ repositories: 3, rootsPerRepository: 4, commentsPerRoot: 3 })]

  it.each([1, 4, 9, 20, 40])(
    'after event %i was sent loses nothing: the next run ends as an undisturbed one',
    async (count) => {
      const bench = createWorkbench()
      const source = await bench.real({ events })
      const target = await bench.scripted()
      let sent = 0
      target.behaviour.onEvent = () => ((sent += 1) < count ? 'default' : 'silent')
      const killed = bench.start(['catchup', ...endArguments(source, target)])
      await waitFor(() => sent >= count, { timeoutMs: 20_000 })
      killed.kill('SIGKILL')
      await killed.finished
      expect(bench.coverage()).toEqual([])
      const taken = new Set(target.events.keys())
      delete target.behaviour.onEvent
      target.forgetReceived()
      const { code, report } = await bench.catchup(source, target)
      expect(idsOf(target.events.values())).toEqual(idsOf(events))
      expect(target.received.events.filter(({ id }) => taken.has(id))).toEqual([])
      expect([code, report.totals.parked]).toEqual([0, 0])
    },
  )

  it('while a source is read loses nothing', async () => {
    const bench = createWorkbench()
    let requests = 0
    const source = await bench.scripted({
      events,
      onReq: ({ answer }) => ((requests += 1) > 8 ? { ...answer, end: { type: 'never' } } : 'default'),
    })
    const target = await bench.real()
    const killed = bench.start(['catchup', ...endArguments(source, target)])
    await waitFor(() => requests > 8, { timeoutMs: 20_000 })
    killed.kill('SIGKILL')
    await killed.finished
    expect(bench.coverage()).toEqual([])
    delete source.behaviour.onReq
    const { code } = await bench.catchup(source, target)
    expect(idsOf(target.events())).toEqual(idsOf(events))
    expect(code).toBe(0)
  })

  it('while the target proves what it got loses nothing, and nothing is sent twice', async () => {
    const bench = createWorkbench()
    const source = await bench.real({ events })
    const target = await bench.scripted()
    target.behaviour.onReq = ({ filters, answer }) => {
      const isProof = filters.some(({ ids = [] }) => ids.some((id) => target.countSends(id) > 0))
      return isProof ? { ...answer, rows: [], end: { type: 'never' } } : 'default'
    }
    const killed = bench.start(['catchup', ...endArguments(source, target)])
    await waitFor(() => target.events.size === events.length, { timeoutMs: 20_000 })
    killed.kill('SIGKILL')
    await killed.finished
    delete target.behaviour.onReq
    const { code } = await bench.catchup(source, target)
    expect(events.filter(({ id }) => target.countSends(id) !== 1)).toEqual([])
    expect(code).toBe(0)
  })

  it('after complete runs leaves their checkpoints and loses nothing of the debt', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.scripted({ events }), bench.scripted()])
    await bench.catchup(source, target)
    bench.letPass(60)
    const before = bench.coverage()
    const [root = mine.issue] = events.filter(({ kind }) => kind === 1621)
    const fresh = comment(root, bob, { createdAt: nowSeconds() })
    source.events.set(fresh.id, fresh)
    target.behaviour.onEvent = () => 'silent'
    const killed = bench.start(['catchup', ...endArguments(source, target)])
    await waitFor(() => target.countSends(fresh.id) > 0, { timeoutMs: 20_000 })
    killed.kill('SIGKILL')
    await killed.finished
    expect(bench.coverage()).toEqual(before)
    delete target.behaviour.onEvent
    expect((await bench.catchup(source, target)).code).toBe(0)
    expect(target.events.has(fresh.id)).toBe(true)
  })
})

describe('a signal', () => {
  const events = [...generateHistory({ repositories: 2, rootsPerRepository: 3 })]

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)(
    '%s while events are sent ends the run with %i within two seconds; the next completes',
    async (signal, expected) => {
      const bench = createWorkbench()
      const source = await bench.real({ events })
      const target = await bench.scripted({ onEvent: ({ kind }) => (kind === 1111 ? 'silent' : 'default') })
      const running = bench.start(['catchup', '--json', ...endArguments(source, target)])
      await waitFor(() => target.received.events.some(({ kind }) => kind === 1111), { timeoutMs: 20_000 })
      const before = Date.now()
      running.kill(signal)
      const { code, stdout } = await running.finished
      expect(Date.now() - before).toBeLessThan(2_000)
      expect(code).toBe(expected)
      expect(JSON.parse(stdout)).toMatchObject({ exit: expected, complete: false })
      expect(bench.coverage()).toEqual([])
      delete target.behaviour.onEvent
      expect((await bench.catchup(source, target)).code).toBe(0)
      expect(idsOf(target.events.values())).toEqual(idsOf(events))
    },
  )

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s while a source is silent ends the run with %i within two seconds', async (signal, expected) => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events, neverEose: true })
    const target = await bench.real()
    const running = bench.start(['catchup', ...endArguments(source, target)])
    await waitFor(() => source.received.reqs.length > 0, { timeoutMs: 20_000 })
    const before = Date.now()
    running.kill(signal)
    const { code } = await running.finished
    expect(Date.now() - before).toBeLessThan(2_000)
    expect(code).toBe(expected)
    expect([bench.coverage(), target.events()]).toEqual([[], []])
  })

  it('while the connection to the target hangs ends the run within two seconds', async () => {
    const bench = createWorkbench()
    const target = await startMuteServer()
    const running = bench.start(['catchup', ...endArguments(await bench.scripted({ events }), target)])
    await waitFor(() => target.connections() > 0, { timeoutMs: 20_000 })
    const before = Date.now()
    running.kill('SIGINT')
    const { code } = await running.finished
    expect([code, Date.now() - before < 2_000]).toEqual([130, true])
  })
})
