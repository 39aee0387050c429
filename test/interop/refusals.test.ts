import { describe, expect, it } from 'vitest'

import { announcement, issue, repositoryAddress, SOME_TIME } from '../support/builders.ts'
import { runCli } from '../support/run-cli.ts'
import { alice, bob, smallRepository } from '../support/scenes.ts'
import { idsOf, nowSeconds } from '../support/workbench.ts'
import { FOREIGN_RELAYS } from './support/foreign-relays.ts'
import { createInteropBench } from './support/interop-bench.ts'
import { plainRelays } from './support/installation.ts'

const relays = plainRelays()
const rustNostr = relays.filter((name) => name === 'rust-nostr' || name === 'nostr-sdk')
const fussy = relays.filter((name) => FOREIGN_RELAYS[name].refusesTomorrow !== null)

describe.each(fussy)('%s, which takes no event of tomorrow', (name) => {
  it('gets everything else, and the report has its words', async () => {
    const bench = createInteropBench()
    const { address, events } = smallRepository()
    const tomorrow = issue(address, bob, { createdAt: nowSeconds() + 86_400 })
    const [source, target] = await Promise.all([bench.real({ events: [...events, tomorrow] }), bench.foreign(name)])
    const { code, report } = await bench.catchup(source, target, '--scope', 'all', '--ok-timeout', '5s')
    expect(idsOf(await target.events())).toEqual(idsOf(events))
    expect(report.totals).toMatchObject({ accepted: events.length, parked: 1, refused: 0 })
    const texts = report.problems.map(({ reason }) => reason)
    expect(texts).toContainEqual(expect.stringMatching(FOREIGN_RELAYS[name].refusesTomorrow ?? /$^/))
    expect(code).toBe(3)
  })
})

describe.each(relays)('%s and identifiers that are long', (name) => {
  it.each([50, 150])('is read and written whole with one of %i characters', async (length) => {
    const bench = createInteropBench()
    const { events } = smallRepository({ d: 'd'.repeat(length) })
    const [source, between, target] = await Promise.all([bench.real({ events }), bench.foreign(name), bench.real()])
    const runs = [
      await bench.catchup(source, between, '--scope', 'all'),
      await bench.catchup(between, target, '--scope', 'all'),
    ]
    expect(idsOf(target.events())).toEqual(idsOf(events))
    expect(runs.map(({ code, report }) => [code, report.totals.published])).toEqual([
      [0, events.length],
      [0, events.length],
    ])
  })

  it('gives what depends on an address that it may not index', async () => {
    const bench = createInteropBench()
    const d = 'd'.repeat(200)
    const events = [announcement(alice, d), issue(repositoryAddress(alice, d), bob)]
    const [source, target] = await Promise.all([bench.foreign(name, { events }), bench.real()])
    const { code, report } = await bench.catchup(source, target, '--scope', 'all')
    expect(idsOf(target.events())).toEqual(idsOf(events))
    expect([code, report.complete]).toEqual([0, true])
  })
})

/** Repositories of one owner, the next a thousand seconds later than the one before. */
function similarRepositories(...identifiers: readonly string[]) {
  return identifiers.map((d, index) => smallRepository({ d, startAt: SOME_TIME + index * 1_000 }))
}

describe.each(relays)('%s and identifiers of which one begins like another', (name) => {
  it('gives them whole, paged and compared', async () => {
    const bench = createInteropBench()
    const events = similarRepositories('hello', 'hello-world', 'hellox').flatMap((repository) => repository.events)
    const [source, target] = await Promise.all([bench.foreign(name), bench.real()])
    for (const event of events) await source.seed([event])
    const runs = [
      await bench.catchup(source, target, '--scope', 'all', '--no-reconcile'),
      await bench.catchup(source, target, '--scope', 'all', '--full'),
    ]
    expect(idsOf(target.events())).toEqual(idsOf(events))
    expect(runs.map(({ code, report }) => [code, report.totals.published, report.problems])).toEqual([
      [0, events.length, []],
      [0, 0, []],
    ])
  })

  it('takes an older one after a newer one, or is found not to', async () => {
    const bench = createInteropBench()
    const [old, young] = similarRepositories('hello', 'hello-world')
    const events = [...(old?.events ?? []), ...(young?.events ?? [])]
    const [source, target] = await Promise.all([
      bench.real({ events }),
      bench.foreign(name, { events: young?.events ?? [] }),
    ])
    const { code, report } = await bench.catchup(source, target, '--scope', 'all')
    const dropped = FOREIGN_RELAYS[name].dropsSimilar
      ? [old?.announced, old?.state].flatMap((event) => event ?? [])
      : []
    expect(idsOf(await target.events())).toEqual(idsOf(events.filter((event) => !dropped.includes(event))))
    expect([code, report.totals.parked]).toEqual([dropped.length > 0 ? 3 : 0, dropped.length])
  })
})

describe.each(relays)('%s, asked what it is', (name) => {
  it('is told apart by the command relay', async () => {
    const bench = createInteropBench()
    const { software, reconciles } = FOREIGN_RELAYS[name]
    const { url } = await bench.foreign(name)
    const { code, json } = await runCli(['relay', url, '--json'])
    const found = json<{ document: { software: string | null }; negentropy: object; reading: object }>()
    expect(found).toMatchObject({ reading: { works: true }, negentropy: { works: reconciles } })
    expect(found.document.software ?? '').toContain(software?.split(' ')[0] ?? '')
    expect(code).toBe(0)
  })
})

describe.each(rustNostr)('%s, which allows 60 events a minute and never says so', (name) => {
  it('gets every event, the rest at its pace, and none counts as refused', async () => {
    const bench = createInteropBench()
    const { address, events } = smallRepository()
    const issues = Array.from({ length: 66 }, (_, n) => issue(address, bob, { content: `issue ${n}` }))
    const [source, target] = await Promise.all([
      bench.real({ events: [...events, ...issues] }),
      bench.foreign(name, { eventsPerMinute: 60 }),
    ])
    const { code, report } = await bench.catchup(source, target, '--scope', 'all')
    expect(report.totals).toMatchObject({ accepted: events.length + issues.length, parked: 0, refused: 0 })
    expect([code, (await target.events()).length]).toEqual([0, events.length + issues.length])
  })
})

describe.each(rustNostr)('%s, which has no NIP-11 document', (name) => {
  it('is no target for --scope auto: a scope never widens because something failed', async () => {
    const bench = createInteropBench()
    const { events } = smallRepository()
    const [source, target] = await Promise.all([bench.real({ events }), bench.foreign(name)])
    const { code, stderr } = await bench.run(['catchup', '--source', source.url, '--target', target.url])
    expect([code, await target.events()]).toEqual([1, []])
    expect(stderr).toContain('--scope')
  })
})
