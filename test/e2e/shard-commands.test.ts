import { writeFileSync } from 'node:fs'

import { describe, expect, it } from 'vitest'

import type { WhyDocument } from '../../src/cli/render/why-steps.ts'
import type { NostrEvent } from '../../src/nostr/event.ts'
import type { Report } from '../../src/report/report.ts'
import type { ParkedEvent } from '../../src/report/status.ts'
import { shardOf } from '../../src/scope/choose-part.ts'
import { OWNER, setRepairScene } from '../support/repair-scene.ts'
import { runHere } from '../support/run-here.ts'
import { smallRepository } from '../support/scenes.ts'
import type { EventDecision } from '../support/scripted-behaviour.ts'
import type { ScriptedRelay } from '../support/scripted-relay.ts'
import { createWorkbench, endArguments, idsOf, type Workbench } from '../support/workbench.ts'

const OF = 2

/** An identifier whose repositories belong to this shard. */
function identifierIn(shard: number): string {
  const names = Array.from({ length: 20 }, (_, index) => `repository-${index}`)
  const found = names.find((d) => shardOf(`30617:${'ab'.repeat(32)}:${d}`, OF) === shard)
  if (found === undefined) throw new Error(`no identifier in shard ${shard}`)
  return found
}

const [FIRST, SECOND] = [identifierIn(1), identifierIn(2)]

describe('repair --git --shard', () => {
  it('repairs the events and git data of its repositories alone; the shards merged are the whole', async () => {
    const bench = createWorkbench()
    const scene = await setRepairScene(bench)
    const [one, two] = [await scene.add(FIRST), await scene.add(SECOND)]
    const repair = async (shard: number, run: Workbench['spawn']) => {
      const result = await run(['repair', '--git', '--json', ...scene.args, '--shard', `${shard}/${OF}`])
      const file = bench.path(`shard-${shard}.json`)
      writeFileSync(file, result.stdout)
      return { code: result.code, git: result.json<Report>().git, file }
    }
    const first = await repair(1, bench.spawn)
    expect([first.code, first.git?.repairs]).toEqual([0, { released: 1 }])
    expect(first.git?.list.map(({ repository }) => repository)).toEqual([one.address])
    expect(idsOf(scene.target.relay.events.values())).toEqual(idsOf(one.events))
    expect(await scene.target.git.refsOf(OWNER, one.d)).toEqual(one.expected)
    expect(await scene.target.git.refsOf(OWNER, two.d)).toEqual(new Map())
    const second = await repair(2, bench.run)
    expect([second.code, await scene.target.git.refsOf(OWNER, two.d)]).toEqual([0, two.expected])
    const merged = await runHere(['merge-reports', first.file, second.file, '--json'])
    const { git, complete, scope } = merged.json<Report>()
    expect([merged.code, complete, scope.repositories, git?.inSync, git?.repairs]).toEqual([
      0,
      true,
      2,
      2,
      { released: 2 },
    ])
    expect(idsOf(scene.target.relay.events.values())).toEqual(idsOf([...one.events, ...two.events]))
  })
})

const [mine, other] = [smallRepository({ d: FIRST }), smallRepository({ d: SECOND })]
const failsComments = (event: NostrEvent): EventDecision =>
  event.kind === 1111 ? { ok: false, text: 'error: database error' } : 'default'

/** Two shards, after which the comment of each waits; the target takes comments by now. */
async function leaveWaiting(bench: Workbench) {
  const source = await bench.scripted({ events: [...mine.events, ...other.events] })
  const target = await bench.scripted({ onEvent: failsComments })
  for (const shard of ['1/2', '2/2']) {
    const { code } = await bench.catchup(source, target, '--scope', 'all', '--shard', shard)
    expect(code).toBe(3)
  }
  delete target.behaviour.onEvent
  target.forgetReceived()
  return { source, target }
}

async function parkedIn(bench: Workbench, target: ScriptedRelay, ...shard: readonly string[]) {
  const result = await bench.run(['status', '--target', target.url, '--parked', '--json', ...shard])
  const { parked } = result.json<{ parked: readonly ParkedEvent[] }>()
  return parked.map(({ id, shard: of }) => [of?.number, id]).sort()
}

describe('status, retry and why with --shard', () => {
  it('show and send what waits in one shard, and name the other for its events', async () => {
    const bench = createWorkbench()
    const { source, target } = await leaveWaiting(bench)
    expect(await parkedIn(bench, target, '--shard', '2/2')).toEqual([[2, other.comment.id]])
    expect(await parkedIn(bench, target)).toEqual([
      [1, mine.comment.id],
      [2, other.comment.id],
    ])
    const retried = await bench.spawn(['retry', '--target', target.url, '--shard', '1/2'])
    expect([retried.code, retried.stdout]).toEqual([
      0,
      expect.stringMatching(/^complete \(0\): shard 1 of 2: nothing waits any more: 1 event sent/m),
    ])
    expect(idsOf(target.received.events)).toEqual([mine.comment.id])
    expect(await parkedIn(bench, target, '--shard', '1/2')).toEqual([])
    const why = async (...args: readonly string[]) => {
      const ends = [...endArguments(source, target), '--scope', 'all']
      return bench.run(['why', other.comment.id, ...ends, ...args])
    }
    const own = (await why('--shard', '2/2', '--json')).json<WhyDocument>()
    expect(own).toMatchObject({
      verdict: 'waiting',
      shard: { number: 2, of: 2, copiedBy: 2 },
      history: { attempts: 1 },
    })
    const wrong = (await why('--shard', '1/2', '--json')).json<WhyDocument>()
    expect(wrong).toMatchObject({ verdict: 'missing', shard: { number: 1, of: 2, copiedBy: 2 }, history: null })
    expect(wrong.next).toBe('Shard 2 copies it, and knows what became of it: ask with --shard 2/2.')
    expect((await why('--shard', '1/2')).stdout).toContain('shard    2 of 2 copies it; this is what shard 1 remembers')
    const without = await bench.run(['why', other.comment.id, '--target', target.url, '--offline'])
    expect([without.code, without.stderr]).toEqual([
      2,
      expect.stringContaining('any of them says which one copies the event'),
    ])
  })

  it('refuse a shard that no run has had', async () => {
    const bench = createWorkbench()
    const [source, target] = [await bench.scripted({ events: mine.events }), await bench.scripted()]
    await bench.catchup(source, target, '--scope', 'all', '--shard', '1/2')
    const { code, stderr } = await bench.spawn(['status', '--target', target.url, '--shard', '1/3'])
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/no run for \S+ shard 1\/3 is in .* it knows .* shard 1\/2/),
    ])
  })
})
