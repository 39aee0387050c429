import { npubEncode } from 'nostr-tools/nip19'
import { describe, expect, it } from 'vitest'

import {
  announcement,
  comment,
  pullRequest,
  pullRequestUpdate,
  repositoryAddress,
  status,
} from '../support/builders.ts'
import type { GraspRelay } from '../support/grasp-relay.ts'
import { alice, bob, carol, dave, readingFilters, smallRepository } from '../support/scenes.ts'
import type { ScriptedRelay } from '../support/scripted-relay.ts'
import { createWorkbench, idsOf, type Outcome } from '../support/workbench.ts'

const FOREIGN = repositoryAddress(dave, 'elsewhere')

/** What a target hosts for bob, and what of the same foreign repository is none of its business. */
function scene({ url }: GraspRelay | ScriptedRelay) {
  const directory = `${url.replace('ws:', 'http:')}/prs/${npubEncode(bob.pubkey)}`
  const hosted = pullRequest(FOREIGN, bob, { tags: [['clone', `${directory}/elsewhere.git`]] })
  const update = pullRequestUpdate(hosted, bob, { tags: [['clone', `${directory}/elsewhere.git`]] })
  const remark = comment(hosted, carol)
  const open = status(1630, hosted, bob)
  const mine = smallRepository({ clone: [`${url.replace('ws:', 'http:')}/x/hello.git`], relays: [url] })
  const others = [
    announcement(dave, 'elsewhere', { clone: ['https://git.invalid/x.git'], relays: ['wss://relay.invalid'] }),
    pullRequest(FOREIGN, bob, { content: 'hosted by nobody' }),
    pullRequest(FOREIGN, alice, { tags: [['clone', `${directory}/elsewhere.git`]] }),
  ]
  const ours = [hosted, update, remark, open]
  return { hosted, update, remark, open, ours, mine, others, events: [...mine.events, ...ours, ...others] }
}

/** A relay that says that it hosts pull requests, and takes everything. */
const HOST = { document: { supported_grasps: ['GRASP-01', 'GRASP-06'] } }

/** With which `since` pull requests were asked for by their kinds alone. */
function scansOf(relay: ScriptedRelay): (number | undefined)[] {
  return readingFilters(relay)
    .filter(({ kinds }) => kinds?.join() === '1618,1619')
    .map(({ since }) => since)
}

function publishedBy({ code, report }: Outcome) {
  return [code, report.totals.published]
}

describe('a target that hosts pull requests (GRASP-06)', () => {
  it.each([
    ['pages', false, false],
    ['comparison', true, true],
    ['comparison, where only the source has it', true, false],
  ])('gets those that name it, with their threads, and no others: by %s', async (_how, atSource, atTarget) => {
    const bench = createWorkbench()
    const target = await bench.scripted({ ...HOST, negentropy: atTarget })
    const { mine, ours, events } = scene(target)
    const source = await bench.scripted({ events, negentropy: atSource })
    const first = await bench.catchup(source, target)
    expect(publishedBy(first)).toEqual([0, mine.events.length + ours.length])
    expect(idsOf(target.events.values())).toEqual(idsOf([...mine.events, ...ours]))
  })

  it('gets them from a file', async () => {
    const bench = createWorkbench()
    const target = await bench.scripted(HOST)
    const { mine, ours, events } = scene(target)
    await bench.catchup(bench.file('events.jsonl', events), target)
    expect(idsOf(target.events.values())).toEqual(idsOf([...mine.events, ...ours]))
  })

  it('gets nothing twice: the next run asks since the last', async () => {
    const bench = createWorkbench()
    const target = await bench.scripted(HOST)
    const source = await bench.scripted({ events: scene(target).events })
    await bench.catchup(source, target)
    expect(new Set(scansOf(source))).toEqual(new Set([undefined]))
    source.forgetReceived()
    expect(publishedBy(await bench.catchup(source, target))).toEqual([0, 0])
    expect(scansOf(source)).not.toContain(undefined)
    expect(scansOf(source)).not.toEqual([])
  })

  it('gets the comments on one that only it holds', async () => {
    const bench = createWorkbench()
    const target = await bench.scripted(HOST)
    const { mine, hosted, remark } = scene(target)
    for (const event of [...mine.events, hosted]) target.events.set(event.id, event)
    const source = await bench.scripted({ events: [...mine.events, remark] })
    expect(publishedBy(await bench.catchup(source, target))).toEqual([0, 1])
    expect(target.events.has(remark.id)).toBe(true)
  })

  it('gets those that came to it after the first run, by another way, commented on as well', async () => {
    const bench = createWorkbench()
    const target = await bench.scripted({ ...HOST, negentropy: true })
    const { mine, hosted, remark } = scene(target)
    const source = await bench.scripted({ events: [...mine.events, remark] })
    await bench.catchup(source, target)
    target.events.set(hosted.id, hosted)
    expect(publishedBy(await bench.catchup(source, target))).toEqual([0, 1])
  })

  it('need not be named by any repository', async () => {
    const bench = createWorkbench()
    const target = await bench.scripted(HOST)
    const { ours, others } = scene(target)
    const source = await bench.scripted({ events: [...ours, ...others] })
    expect(publishedBy(await bench.catchup(source, target))).toEqual([0, ours.length])
  })

  it('gets them in full by a backfill of the window in which only a comment lies', async () => {
    const bench = createWorkbench()
    const target = await bench.scripted(HOST)
    const { mine, hosted } = scene(target)
    const late = comment(hosted, carol, { createdAt: hosted.created_at + 86_400 })
    const source = await bench.scripted({ events: [...mine.events, hosted, late] })
    const window = ['--since', String(late.created_at - 60), '--until', String(late.created_at + 60)]
    await bench.run(['backfill', '--source', source.url, '--target', target.url, ...window])
    expect(target.events.has(late.id)).toBe(true)
  })

  it('is asked again, where its document cannot be read, for what was asked before', async () => {
    const bench = createWorkbench()
    const target = await bench.scripted(HOST)
    const { mine, ours, events } = scene(target)
    const source = await bench.scripted({ events: mine.events })
    await bench.catchup(source, target)
    target.behaviour.onDocument = () => ({ status: 500, body: '' })
    for (const event of events) source.events.set(event.id, event)
    await bench.catchup(source, target, '--full')
    expect(idsOf(target.events.values())).toEqual(idsOf([...mine.events, ...ours]))
  })
})

describe('a target that does not say that it hosts pull requests', () => {
  it('gets none, and nobody is asked for them', async () => {
    const bench = createWorkbench()
    const target = await bench.scripted({ document: { supported_grasps: ['GRASP-01', 'GRASP-16'] } })
    const { mine, events } = scene(target)
    const source = await bench.scripted({ events })
    await bench.catchup(source, target)
    expect(idsOf(target.events.values())).toEqual(idsOf(mine.events))
    expect([...scansOf(source), ...scansOf(target)]).toEqual([])
  })

  it('no more: what was asked for before is not asked for', async () => {
    const bench = createWorkbench()
    const target = await bench.scripted(HOST)
    const { mine, events } = scene(target)
    const source = await bench.scripted({ events: mine.events })
    await bench.catchup(source, target)
    target.behaviour.document = { supported_grasps: ['GRASP-01'] }
    for (const event of events) source.events.set(event.id, event)
    source.forgetReceived()
    const { code, report } = await bench.catchup(source, target, '--full')
    expect([code, idsOf(target.events.values())]).toEqual([0, idsOf(mine.events)])
    expect(scansOf(source)).toEqual([])
    // The repository and its state: what is not asked for is no anchor that was read.
    expect(report.sources[0]?.layers[1]).toMatchObject({ layer: 'repositories', anchors: { full: 2 } })
  })
})

describe('ngit-grasp 3.0.10 that hosts pull requests', () => {
  it('serves a pull request and its thread once the git data is there, and is sent nothing twice', async () => {
    const bench = createWorkbench()
    const target = await bench.grasp({ personality: '3.0.10', hosts: true })
    const { mine, hosted, update, ours, others } = scene(target)
    const source = await bench.scripted({ events: [...mine.events, ...ours, ...others] })
    await bench.catchup(source, target)
    expect(idsOf(target.pending())).toEqual(idsOf([mine.announced, mine.state, hosted, update]))
    for (const address of [mine.address, FOREIGN]) target.pushGitData(address)
    const second = await bench.catchup(source, target)
    expect([second.code, idsOf(target.events.values())]).toEqual([0, idsOf([...mine.events, ...ours])])
    expect([hosted, update].map(({ id }) => target.countSends(id))).toEqual([1, 1])
    expect(publishedBy(await bench.catchup(source, target))).toEqual([0, 0])
  })
})
