import { copyFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

import { describe, expect, it } from 'vitest'

import { Sqlite } from '../../src/sqlite.ts'
import {
  announcement,
  comment,
  deletion,
  graspList,
  issue,
  SOME_TIME,
  state,
  vanishRequest,
} from '../support/builders.ts'
import { generateHistory } from '../support/generate.ts'
import { alice, bob, carol, readingFilters, smallRepository } from '../support/scenes.ts'
import { startMuteServer } from '../support/mute-server.ts'
import type { RealRelay } from '../support/real-relay.ts'
import { runCli } from '../support/run-cli.ts'
import { runHere } from '../support/run-here.ts'
import type { ScriptedRelay } from '../support/scripted-relay.ts'
import { createWorkbench, endArguments, idsOf, nowSeconds, type Workbench } from '../support/workbench.ts'
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

describe('what a target held at an address', () => {
  const addressables = [
    announcement(alice, 'hello'),
    state(alice, 'hello', { createdAt: mine.state.created_at }),
    graspList(alice, ['wss://grasp.example']),
  ]

  it.each(['paged', 'compared'])(
    'shows that it was wiped, when it held nothing else (%s) (no false green #25)',
    async (how) => {
      const bench = createWorkbench()
      const supportedNips = how === 'compared' ? [1, 77] : [1]
      const source = await bench.scripted({ events: addressables })
      const target = await bench.scripted({ document: { supported_nips: supportedNips } })
      await bench.catchup(source, target)
      target.events.clear()
      source.forgetReceived()
      const { code, report } = await bench.catchup(source, target)
      expect(new Set(readingFilters(source).map(({ since }) => since))).toEqual(new Set([undefined]))
      expect(report.notes.join()).toMatch(/no longer serves 3 of the events.*everything is read/)
      expect([code, idsOf(target.events.values())]).toEqual([0, idsOf(addressables)])
    },
  )

  it('shows that an older version was put in its place (no false green #5)', async () => {
    const bench = createWorkbench()
    const newer = state(alice, 'hello', { createdAt: nowSeconds() - 10, commit: '9'.repeat(40) })
    const source = await bench.scripted({ events: [...addressables, newer] })
    const target = await bench.scripted()
    await bench.catchup(source, target)
    target.events.delete(newer.id)
    target.events.set(addressables[1]?.id ?? '', addressables[1] ?? newer)
    const { code, report } = await bench.catchup(source, target)
    expect(report.notes.join()).toMatch(/no longer serves 1 of the events.*everything is read/)
    expect([code, target.events.has(newer.id)]).toEqual([0, true])
  })

  it('is not missed where a newer version stands', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.scripted({ events: addressables }), bench.scripted()])
    await bench.catchup(source, target)
    const newer = state(alice, 'hello', { createdAt: nowSeconds() })
    target.events.delete(addressables[1]?.id ?? '')
    target.events.set(newer.id, newer)
    expect((await bench.catchup(source, target)).report.notes).toEqual([])
  })

  it.each(['paged', 'compared'])(
    'is missed, of an announcement, even if it is no witness (%s) (no false green #5)',
    async (how) => {
      const bench = createWorkbench()
      const supportedNips = how === 'compared' ? [1, 77] : [1]
      const source = await bench.scripted({ events: mine.events })
      const target = await bench.scripted({ document: { supported_nips: supportedNips } })
      for (let times = 1; times <= 2; times += 1) await bench.catchup(source, target)
      bench.database((db) => db.exec(`DELETE FROM witness WHERE subject LIKE '30617:%'`))
      target.events.delete(mine.announced.id)
      source.forgetReceived()
      const { code, report } = await bench.catchup(source, target)
      expect(report.notes.join()).toMatch(/no longer serves 1 of the events.*everything is read/)
      expect(new Set(readingFilters(source).map(({ since }) => since))).toEqual(new Set([undefined]))
      expect([code, target.events.has(mine.announced.id)]).toEqual([0, true])
      expect((await bench.catchup(source, target)).report.notes).toEqual([])
    },
  )
})

describe('what a run itself has published', () => {
  it('is asked for first: a few old events among many newer ones that are held (no false green #5)', async () => {
    const bench = createWorkbench()
    const newer = Array.from({ length: 300 }, (_, n) =>
      comment(mine.issue, carol, { createdAt: SOME_TIME + 9_000 + n }),
    )
    const older = [1, 2, 3].map((n) => comment(mine.issue, bob, { createdAt: SOME_TIME + 1_000 + n }))
    const source = await bench.scripted({ events: [...mine.events, ...newer, ...older] })
    const target = await bench.scripted({ events: [...mine.events, ...newer] })
    await bench.catchup(source, target)
    for (const { id } of older) target.events.delete(id)
    const { code, report } = await bench.catchup(source, target)
    expect([code, report.totals.published]).toEqual([0, older.length])
  })
})

describe('a target of which no witness is known', () => {
  it('is read against in full, whatever its checkpoints say (no false green #25)', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.scripted({ events: mine.events }), bench.scripted()])
    await bench.catchup(source, target)
    bench.database((db) => db.exec('DELETE FROM witness'))
    target.events.delete(mine.comment.id)
    source.forgetReceived()
    const { code, report } = await bench.catchup(source, target)
    expect(new Set(readingFilters(source).map(({ since }) => since))).toEqual(new Set([undefined]))
    expect(report.notes).toEqual(['Nothing shows that the target still is what it was, so everything is read.'])
    expect([code, target.events.has(mine.comment.id)]).toEqual([0, true])
  })

  it('goes unmentioned when there was nothing that it could hold', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.scripted(), bench.scripted()])
    await bench.catchup(source, target)
    expect((await bench.catchup(source, target)).report.notes).toEqual([])
  })
})

describe('a target is not suspected', () => {
  /** A complete run, then what `change` makes of the target and the source, then a quick run: its notes. */
  async function notesAfter(change: (target: ScriptedRelay, source: ScriptedRelay) => void, events = mine.events) {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.scripted({ events }), bench.scripted()])
    expect((await bench.catchup(source, target)).code).toBe(0)
    source.forgetReceived()
    change(target, source)
    const { report } = await bench.catchup(source, target)
    return report.notes
  }

  it('because it ceased to serve a deletion', async () => {
    const gone = deletion({ ids: [mine.comment.id] }, carol)
    const notes = await notesAfter((target) => target.events.delete(gone.id), [...mine.events.slice(0, 3), gone])
    expect(notes).toEqual([])
  })

  it.each(['target', 'source'])('because an author has vanished, as the %s knows', async (place) => {
    const notes = await notesAfter((target, source) => {
      const request = vanishRequest(['ALL_RELAYS'], carol, { createdAt: 1_000 })
      target.events.delete(mine.comment.id)
      const knowing = place === 'target' ? target : source
      knowing.events.set(request.id, request)
    })
    expect(notes).toEqual([])
  })

  it('but is because an author has vanished from elsewhere', async () => {
    const notes = await notesAfter((target) => {
      const request = vanishRequest(['wss://elsewhere.example'], carol, { createdAt: nowSeconds() })
      target.events.delete(mine.comment.id)
      target.events.set(request.id, request)
    })
    expect(notes.join()).toMatch(/no longer serves 1/)
  })

  it('because a repository was deleted, with its state and its threads', async () => {
    const notes = await notesAfter((target, source) => {
      const gone = deletion({ addresses: [mine.address] }, alice, { createdAt: nowSeconds() })
      target.events.clear()
      source.events.set(gone.id, gone)
    })
    expect(notes).toEqual([])
  })

  it('but is because a repository was deleted once and is announced anew', async () => {
    const notes = await notesAfter((target, source) => {
      const gone = deletion({ addresses: [mine.address] }, alice, { createdAt: 1_000 })
      target.events.clear()
      source.events.set(gone.id, gone)
    })
    expect(notes.join()).toMatch(/no longer serves 4/)
  })

  it('because a repository moved away from the service', async () => {
    const bench = createWorkbench()
    const host = 'https://git.example.org'
    const here = { clone: [`${host}/npub/hello.git`], relays: [host.replace('http', 'ws')] }
    const [stay, move] = [smallRepository({ ...here, d: 'stay', owner: bob }), smallRepository({ ...here, d: 'move' })]
    const [source, target] = await Promise.all([
      bench.scripted({ events: [...stay.events, ...move.events] }),
      bench.scripted(),
    ])
    const service = ['--scope', 'listed', '--service', 'wss://git.example.org']
    expect((await bench.catchup(source, target, ...service)).code).toBe(0)
    const elsewhere = announcement(alice, 'move', { createdAt: nowSeconds() })
    source.events.set(elsewhere.id, elsewhere)
    for (const { id } of move.events) target.events.delete(id)
    expect((await bench.catchup(source, target, ...service)).report.notes).toEqual([])
  })
})

describe('a source whose database is replaced', () => {
  const other = smallRepository({ owner: bob, d: 'other', startAt: 1_600_000_000 })

  /** A source that serves nothing any more after a complete run, and one that serves everything. */
  async function withEmptiedSource(bench: Workbench) {
    const [wiped, kept, target] = await Promise.all([
      bench.scripted({ events: mine.events }),
      bench.scripted({ events: other.events }),
      bench.real(),
    ])
    expect((await bench.catchup([wiped, kept], target)).code).toBe(0)
    wiped.events.clear()
    for (const relay of [wiped, kept]) relay.forgetReceived()
    return { wiped, kept, target }
  }

  it('and that serves nothing of what it had, is read in full and named, and the run is partial', async () => {
    const bench = createWorkbench()
    const { wiped, kept, target } = await withEmptiedSource(bench)
    const { code, report } = await bench.catchup([wiped, kept], target)
    expect(new Set(readingFilters(wiped).map(({ since }) => since))).toEqual(new Set([undefined]))
    expect(readingFilters(kept).every(({ since }) => since !== undefined)).toBe(true)
    expect(report.problems).toMatchObject([
      { what: 'source', where: wiped.url, reason: 'serves nothing of what it once had' },
    ])
    expect([code, report.sources.map(({ complete }) => complete)]).toEqual([3, [false, true]])
  })

  it('keeps its checkpoints and its witnesses, however often it is empty; what comes back is complete', async () => {
    const bench = createWorkbench()
    const { wiped, kept, target } = await withEmptiedSource(bench)
    bench.letPass(60)
    const before = bench.checkpoints(wiped)
    for (let times = 1; times <= 2; times += 1) expect((await bench.catchup([wiped, kept], target)).code).toBe(3)
    expect(bench.checkpoints(wiped)).toEqual(before)
    const late = comment(mine.issue, carol, { createdAt: nowSeconds() })
    for (const event of [...mine.events, late]) wiped.events.set(event.id, event)
    const { code, report } = await bench.catchup([wiped, kept], target)
    expect([code, report.problems, idsOf(target.events()).includes(late.id)]).toEqual([0, [], true])
    expect(bench.checkpoints(wiped).every(({ drained_at }) => drained_at === report.startedAt)).toBe(true)
  })

  it('by another set of events is believed again once it has shown those', async () => {
    const bench = createWorkbench()
    const { wiped, kept, target } = await withEmptiedSource(bench)
    const third = smallRepository({ owner: carol, d: 'third' })
    for (const event of third.events) wiped.events.set(event.id, event)
    const codes = [await bench.catchup([wiped, kept], target), await bench.catchup([wiped, kept], target)]
    expect(codes.map(({ code }) => code)).toEqual([3, 0])
    expect(idsOf(target.events())).toEqual(idsOf([...mine.events, ...other.events, ...third.events]))
  })

  it('is not suspected because its only author has asked it to forget everything', async () => {
    const bench = createWorkbench()
    const { wiped, kept, target } = await withEmptiedSource(bench)
    const people = [alice, bob, carol].map((key) => vanishRequest([wiped.url], key, { createdAt: nowSeconds() }))
    for (const event of people) wiped.events.set(event.id, event)
    const { code, report } = await bench.catchup([wiped, kept], target)
    expect([code, report.problems]).toEqual([0, []])
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
    expect([code, JSON.parse(stdout)]).toMatchObject([4, { exit: 4 }])
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
    expect([code, JSON.parse(stdout)]).toMatchObject([1, { exit: 1 }])
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
    const { code, stdout, stderr } = await runHere(['catchup', ...endArguments(source, target), '--state', file])
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
      expect(bench.checkpoints()).toEqual([])
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
    expect(bench.checkpoints()).toEqual([])
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
    const before = bench.checkpoints()
    const [root = mine.issue] = events.filter(({ kind }) => kind === 1621)
    const fresh = comment(root, bob, { createdAt: nowSeconds() })
    source.events.set(fresh.id, fresh)
    target.behaviour.onEvent = () => 'silent'
    const killed = bench.start(['catchup', ...endArguments(source, target)])
    await waitFor(() => target.countSends(fresh.id) > 0, { timeoutMs: 20_000 })
    killed.kill('SIGKILL')
    await killed.finished
    expect(bench.checkpoints()).toEqual(before)
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
      expect(bench.checkpoints()).toEqual([])
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
    expect([bench.checkpoints(), target.events()]).toEqual([[], []])
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
