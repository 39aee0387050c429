import { describe, expect, it } from 'vitest'

import type { NostrEvent } from '../../src/nostr/event.ts'
import type { Report } from '../../src/report/report.ts'
import { announcement, comment, issue, repositoryAddress, SOME_TIME, state } from '../support/builders.ts'
import { bob, carol } from '../support/scenes.ts'
import { keyOf } from '../support/sign.ts'
import { waitFor } from '../support/wait-for.ts'
import { differenceOf, endArguments, type Workbench } from '../support/workbench.ts'
import { createGitRepository } from '../support/git-repository.ts'
import { startGrasp, type Grasp } from './support/grasp.ts'
import { hostedRepository, pushGitData } from './support/hosted-repository.ts'
import { wantedRelays } from './support/installation.ts'
import { createInteropBench } from './support/interop-bench.ts'
import { findFreePort } from './support/relay-process.ts'

const COMMENTS = 7
/** What ngit-grasp takes of a client at once, and from then on in a second. */
const [BURST, A_SECOND] = [60, 1]

type Scene = {
  readonly grasp: Grasp
  /** Everything that the target is to serve in the end. */
  readonly events: readonly NostrEvent[]
  /** What it lacks. */
  readonly missing: readonly NostrEvent[]
}

/**
 * A target that has the git data of some identifiers, with one repository of each, and has lost all of the others: they
 * have the same commits, so that it needs no push for them.
 */
async function lostRepositories(identifiers: number, ownersOfEach: number): Promise<Scene> {
  const grasp = await startGrasp()
  const git = await createGitRepository('hello')
  const kept = await Promise.all(
    Array.from({ length: identifiers }, (_, n) => hostedRepository(grasp, { d: `hello-${n}`, git })),
  )
  for (const one of kept) {
    await grasp.offer([one.announced, one.state])
    await pushGitData(grasp, one)
  }
  await grasp.offer(kept.flatMap(({ issue: root, comment: remark }) => [root, remark]))
  const missing = kept.flatMap(({ d }) =>
    Array.from({ length: ownersOfEach }, (_, n) => eventsOf(grasp, d, n, git.commit)).flat(),
  )
  return { grasp, missing, events: [...kept.flatMap(({ events }) => events), ...missing] }
}

/** A repository that names the target alone, with an issue and its comments. */
function eventsOf(grasp: Grasp, d: string, n: number, commit: string): NostrEvent[] {
  const owner = keyOf(`owner-${n}-of-${d}`)
  const createdAt = SOME_TIME + n * 100
  const bug = issue(repositoryAddress(owner, d), bob, { createdAt: createdAt + 2 })
  return [
    announcement(owner, d, { createdAt, clone: [grasp.service.clone(owner, d)], relays: [grasp.service.relay] }),
    state(owner, d, { createdAt: createdAt + 1, commit }),
    bug,
    ...Array.from({ length: COMMENTS }, (_, k) =>
      comment(bug, carol, { createdAt: createdAt + 3 + k, content: `remark ${k}` }),
    ),
  ]
}

/** Runs `serve` and restarts the target as its operator is told to; resolves with how long both took. */
async function restore(bench: Workbench, { grasp, events }: Scene, timeoutMs: number, ...args: readonly string[]) {
  const address = `127.0.0.1:${await findFreePort()}`
  const source = bench.file('source.jsonl', events)
  const ends = [...endArguments(source, grasp), '--service', grasp.url, '--listen', address]
  const cli = bench.start(['serve', ...ends, '--json', ...args], { timeoutMs })
  const told = await waitFor(() => /restart it[^]*NGIT_USER_INDEX_RELAYS=\n/.exec(cli.stderr())?.[0], {
    timeoutMs: 60_000,
    what: 'what to set',
  })
  const beganMs = Date.now()
  const settings = [...told.matchAll(/^ +(NGIT_\w+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value])
  await grasp.stop()
  await grasp.start(Object.fromEntries(settings))
  const { code, stdout, json } = await cli.finished
  expect(stdout, cli.stderr()).not.toBe('')
  return { code, report: json<Report>(), seconds: (Date.now() - beganMs) / 1000 }
}

describe.skipIf(!wantedRelays().includes('ngit-grasp'))('serve for ngit-grasp 3.0.10', () => {
  it('brings back repositories that it has lost, and a catchup finds nothing to do', async () => {
    const bench = createInteropBench()
    const scene = await lostRepositories(2, 3)
    const { code, report } = await restore(bench, scene, 170_000)
    expect(differenceOf(await scene.grasp.events(), scene.events)).toEqual({ missing: [], extra: [] })
    // Only states were sent: nobody asks a bootstrap relay for them.
    expect([code, report.totals.accepted, report.totals.published]).toEqual([0, scene.missing.length, 6])
    const next = await bench.catchup(bench.path('source.jsonl'), scene.grasp, '--service', scene.grasp.url)
    expect([next.code, next.report.totals.published]).toEqual([0, 0])
  }, 200_000)

  it('brings back 600 repositories and their threads many times faster than they can be sent', async () => {
    const bench = createInteropBench()
    const scene = await lostRepositories(20, 30)
    const { code, report, seconds } = await restore(bench, scene, 1_700_000, '--connections', '4')
    expect(differenceOf(await scene.grasp.events(), scene.events)).toEqual({ missing: [], extra: [] })
    expect([code, report.totals.accepted]).toEqual([0, scene.missing.length])
    // What catchup takes over as many connections, were the target as fast as it allows.
    const catchupSeconds = scene.missing.length / (A_SECOND * 4) - BURST
    console.log(`${scene.missing.length} events, ${report.totals.published} sent: ${seconds.toFixed(0)} s`)
    console.log(
      `catchup needs ${catchupSeconds.toFixed(0)} s over 4 connections, ${scene.missing.length - BURST} s over one`,
    )
    expect((scene.missing.length - BURST) / seconds).toBeGreaterThan(5)
  }, 1_800_000)
})
