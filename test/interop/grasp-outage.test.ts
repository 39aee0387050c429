import { describe, expect, it } from 'vitest'

import type { NostrEvent } from '../../src/nostr/event.ts'
import { comment, issue } from '../support/builders.ts'
import { bob, carol, dave, type SmallRepository } from '../support/scenes.ts'
import { idsOf, nowSeconds } from '../support/workbench.ts'
import { startGrasp } from './support/grasp.ts'
import {
  hostedRepository,
  NOTHING_TO_DO,
  pushGitData,
  summaryOf,
  waitUntilServed,
} from './support/hosted-repository.ts'
import { wantedRelays } from './support/installation.ts'
import { createInteropBench } from './support/interop-bench.ts'

const PURGATORY_SECONDS = 36 * 60

describe.skipIf(!wantedRelays().includes('ngit-grasp'))('ngit-grasp 3.0.10 as the target', () => {
  it('serves a repository and its threads once the git data is pushed, and the next night has nothing to send', async () => {
    const bench = createInteropBench()
    const grasp = await startGrasp()
    const repository = await hostedRepository(grasp)
    const source = await bench.real({ events: repository.events })
    const first = await bench.catchup(source, grasp)
    expect(summaryOf(first)).toEqual({ code: 3, published: 2, parked: 4, refused: 0 })
    await pushGitData(grasp, repository)
    const second = await bench.catchup(source, grasp)
    expect(summaryOf(second)).toEqual({ code: 0, published: 2, parked: 0, refused: 0 })
    expect(idsOf(await grasp.events())).toEqual(idsOf(repository.events))
    expect(summaryOf(await bench.catchup(source, grasp))).toEqual(NOTHING_TO_DO)
    bench.letPass(86_400)
    expect(summaryOf(await bench.catchup(source, grasp, '--full'))).toEqual(NOTHING_TO_DO)
  })

  it('is brought up to date after an outage', async () => {
    const bench = createInteropBench()
    const grasp = await startGrasp()
    const repository = await hostedRepository(grasp)
    const source = await bench.real({ events: repository.events })
    await bench.catchup(source, grasp)
    await pushGitData(grasp, repository)
    await bench.catchup(source, grasp)
    await grasp.stop()
    const missed = [issue(repository.address, bob, { createdAt: nowSeconds() - 60 }), ...repliesTo(repository)]
    await source.seed(missed)
    await grasp.start()
    const check = () => bench.spawn(['check', '--source', source.url, '--target', grasp.url])
    expect((await check()).code).toBe(5)
    const back = await bench.catchup(source, grasp)
    expect(summaryOf(back)).toEqual({ code: 0, published: missed.length, parked: 0, refused: 0 })
    expect(idsOf(await grasp.events())).toEqual(idsOf([...repository.events, ...missed]))
    expect((await check()).code).toBe(0)
  })

  it('keeps over SIGTERM what waits for git data: nothing is sent again', async () => {
    const bench = createInteropBench()
    const grasp = await startGrasp()
    const repository = await hostedRepository(grasp)
    const source = await bench.real({ events: repository.events })
    await bench.catchup(source, grasp)
    await grasp.stop('SIGTERM')
    await grasp.start()
    expect(summaryOf(await bench.catchup(source, grasp))).toMatchObject({ code: 3, published: 0, parked: 4 })
    await pushGitData(grasp, repository)
    expect(summaryOf(await bench.catchup(source, grasp))).toEqual({ code: 0, published: 2, parked: 0, refused: 0 })
    expect(idsOf(await grasp.events())).toEqual(idsOf(repository.events))
  })

  it('loses over SIGKILL what waits for git data: it is sent again after the time of the purgatory', async () => {
    const bench = createInteropBench()
    const grasp = await startGrasp()
    const repository = await hostedRepository(grasp)
    const source = await bench.real({ events: repository.events })
    await bench.catchup(source, grasp)
    await grasp.stop('SIGKILL')
    await grasp.start()
    bench.letPass(PURGATORY_SECONDS)
    expect(summaryOf(await bench.catchup(source, grasp))).toMatchObject({ code: 3, published: 2, parked: 4 })
    await pushGitData(grasp, repository)
    expect(summaryOf(await bench.catchup(source, grasp))).toEqual({ code: 0, published: 2, parked: 0, refused: 0 })
    expect(idsOf(await grasp.events())).toEqual(idsOf(repository.events))
  })

  it('serves a second owner of the same identifier and commit without a push', async () => {
    const bench = createInteropBench()
    const grasp = await startGrasp()
    const first = await hostedRepository(grasp)
    const source = await bench.real({ events: first.events })
    await bench.catchup(source, grasp)
    await pushGitData(grasp, first)
    const second = await hostedRepository(grasp, { owner: dave, git: first.git, startAt: nowSeconds() - 600 })
    await source.seed(second.events)
    await bench.catchup(source, grasp)
    await waitUntilServed(grasp, [second.announced, second.state])
    await bench.catchup(source, grasp)
    expect(idsOf(await grasp.events())).toEqual(idsOf([...first.events, ...second.events]))
    expect(summaryOf(await bench.catchup(source, grasp))).toEqual(NOTHING_TO_DO)
  })
})

function repliesTo({ issue: root }: SmallRepository): NostrEvent[] {
  return [1, 2, 3].map((n) => comment(root, carol, { content: `reply ${n}`, createdAt: nowSeconds() - 60 + n }))
}
