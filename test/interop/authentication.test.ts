import { describe, expect, it } from 'vitest'

import { runCli } from '../support/run-cli.ts'
import { smallRepository } from '../support/scenes.ts'
import { keyOf, type Key } from '../support/sign.ts'
import { endArguments, idsOf, type End } from '../support/workbench.ts'
import type { Report } from '../../src/report/report.ts'
import { FOREIGN_RELAYS } from './support/foreign-relays.ts'
import { createInteropBench, type InteropBench } from './support/interop-bench.ts'
import { plainRelays } from './support/installation.ts'

// Its events are stored before it asks for a key, so it must keep them over a restart.
const authenticating = plainRelays().filter(
  (name) => FOREIGN_RELAYS[name].authenticates && FOREIGN_RELAYS[name].restart !== 'forgets',
)
const operator = keyOf('the operator')
const { events } = smallRepository()

async function catchup(bench: InteropBench, ends: readonly [source: End, target: End], key?: Key) {
  const env = key === undefined ? {} : { NGIT_SYNC_KEY: Buffer.from(key.secret).toString('hex') }
  return bench.spawn(['catchup', '--json', ...endArguments(...ends), '--scope', 'all'], { env })
}

describe.each(authenticating)('%s, when it wants to know who we are', (name) => {
  it('is read as the source with the key, and not read to its end without', async () => {
    const bench = createInteropBench()
    const source = await bench.foreign(name, { events })
    await source.restart({ onlyFor: operator.pubkey })
    const target = await bench.real()
    const without = await catchup(bench, [source, target])
    expect([without.code, target.events()]).toEqual([3, []])
    expect(without.stdout).toContain('auth-required')
    const { code } = await catchup(bench, [source, target], operator)
    expect([code, idsOf(target.events())]).toEqual([0, idsOf(events)])
  })

  it('is the target with the key, and a closed door without', async () => {
    const bench = createInteropBench()
    const [source, target] = await Promise.all([
      bench.real({ events }),
      bench.foreign(name, { onlyFor: operator.pubkey }),
    ])
    const without = await catchup(bench, [source, target])
    expect(without.code).toBe(1)
    expect(without.stdout + without.stderr).toContain('auth-required')
    const runs = [await catchup(bench, [source, target], operator), await catchup(bench, [source, target], operator)]
    expect(runs.map((run) => [run.code, run.json<Report>().totals.published])).toEqual([
      [0, events.length],
      [0, 0],
    ])
    await target.restart({})
    expect(idsOf(await target.events())).toEqual(idsOf(events))
  })

  it('is told apart by the command relay', async () => {
    const bench = createInteropBench()
    const { url } = await bench.foreign(name, { onlyFor: operator.pubkey })
    const env = { NGIT_SYNC_KEY: Buffer.from(operator.secret).toString('hex') }
    const [without, key] = [await runCli(['relay', url, '--json']), await runCli(['relay', url, '--json'], { env })]
    expect(without.json()).toMatchObject({ authentication: { isRequiredToRead: true, isKeyAccepted: null } })
    expect(key.json()).toMatchObject({ authentication: { isKeyAccepted: true }, reading: { works: true } })
  })
})
