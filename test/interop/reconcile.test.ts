import { describe, expect, it } from 'vitest'

import { generateHistory } from '../support/generate.ts'
import { connectTiny } from '../support/tiny-client.ts'
import { idsOf, type Outcome } from '../support/workbench.ts'
import { FOREIGN_RELAYS } from './support/foreign-relays.ts'
import { createInteropBench, type InteropBench } from './support/interop-bench.ts'
import { plainRelays } from './support/installation.ts'

const reconciling = plainRelays().filter((name) => FOREIGN_RELAYS[name].reconciles)
const others = plainRelays().filter((name) => !FOREIGN_RELAYS[name].reconciles)
const HISTORY = [...generateHistory({ repositories: 4, rootsPerRepository: 6, commentsPerRoot: 5 })]
// Every seventh, and a stretch of time: scattered losses and an outage.
const MISSING = HISTORY.filter(
  (event, index) => event.kind !== 30617 && (index % 7 === 3 || (index > 60 && index < 90)),
)
const HELD = HISTORY.filter((event) => !MISSING.includes(event))
// An empty range that asks for fingerprints of everything (NIP-77, protocol version 0x61).
const NEGENTROPY_OF_NOTHING = '6100000200'

function modesOf({ report }: Outcome): string[] {
  return [...new Set(report.sources.flatMap(({ layers }) => layers.map(({ mode }) => mode)))]
}

function bytesOf({ report }: Outcome): number {
  return report.sources.flatMap(({ layers }) => layers.map(({ bytes }) => bytes)).reduce((a, b) => a + b, 0)
}

async function sourceAndTarget(
  bench: InteropBench,
  source: (typeof reconciling)[number],
  target: 'embedded' | typeof source,
) {
  const events = { events: HELD }
  return Promise.all([
    bench.foreign(source, { events: HISTORY }),
    target === 'embedded' ? bench.real(events) : bench.foreign(target, events),
  ])
}

describe.each(reconciling)('%s, asked by NIP-77', (name) => {
  it('answers a NEG-OPEN', async () => {
    const bench = createInteropBench()
    const { url } = await bench.foreign(name, { events: HISTORY.slice(0, 5) })
    const client = await connectTiny(url)
    client.send('NEG-OPEN', 'n', { kinds: [30617] }, NEGENTROPY_OF_NOTHING)
    const [, , message] = await client.next('NEG-MSG', 'n')
    expect(String(message)).toMatch(/^61[0-9a-f]+$/)
    client.close()
  })

  it.each(['embedded', ...reconciling] as const)('is reconciled with a target that is %s', async (target) => {
    const bench = createInteropBench()
    const [source, lacking] = await sourceAndTarget(bench, name, target)
    const run = await bench.catchup(source, lacking, '--scope', 'all')
    expect(idsOf(await lacking.events())).toEqual(idsOf(HISTORY))
    expect(run.report.totals).toMatchObject({ published: MISSING.length, accepted: MISSING.length })
    expect([run.code, modesOf(run)]).toEqual([0, ['reconcile']])
  })

  it('is read in pages with --no-reconcile, to the same end and for more bytes', async () => {
    const bench = createInteropBench()
    const [source, target] = await sourceAndTarget(bench, name, name)
    const paged = await bench.catchup(source, target, '--scope', 'all', '--no-reconcile')
    expect(idsOf(await target.events())).toEqual(idsOf(HISTORY))
    const compared = await bench.catchup(source, target, '--scope', 'all', '--full')
    expect([modesOf(paged), modesOf(compared)]).toEqual([['full'], ['reconcile']])
    expect(bytesOf(compared)).toBeLessThan(bytesOf(paged) / 10)
  })

  it('is read to its end when it compares more events than a page holds, or fewer without saying so', async () => {
    const bench = createInteropBench()
    const [source, target] = await Promise.all([bench.foreign(name, { events: HISTORY, pageCap: 5 }), bench.real()])
    const run = await bench.catchup(source, target, '--scope', 'all')
    expect(idsOf(target.events())).toEqual(idsOf(HISTORY))
    expect([run.code, run.report.problems]).toEqual([0, []])
  })
})

describe.each(others)('%s, which does not speak NIP-77', (name) => {
  it('is read in pages', async () => {
    const bench = createInteropBench()
    const [source, target] = await Promise.all([bench.foreign(name, { events: HISTORY }), bench.real({ events: HELD })])
    const run = await bench.catchup(source, target, '--scope', 'all')
    expect(idsOf(target.events())).toEqual(idsOf(HISTORY))
    expect([run.code, run.report.problems, modesOf(run)]).toEqual([0, [], ['full']])
  })

  it.each(reconciling)('is brought up to date from %s', async (from) => {
    const bench = createInteropBench()
    const [source, target] = await Promise.all([
      bench.foreign(from, { events: HISTORY }),
      bench.foreign(name, { events: HELD }),
    ])
    const run = await bench.catchup(source, target, '--scope', 'all')
    expect(idsOf(await target.events())).toEqual(idsOf(HISTORY))
    expect([run.code, run.report.totals.published, modesOf(run)]).toEqual([0, MISSING.length, ['reconcile']])
  })

  it.each(reconciling)('brings %s up to date', async (to) => {
    const bench = createInteropBench()
    const [source, target] = await Promise.all([
      bench.foreign(name, { events: HISTORY }),
      bench.foreign(to, { events: HELD }),
    ])
    const run = await bench.catchup(source, target, '--scope', 'all')
    expect(idsOf(await target.events())).toEqual(idsOf(HISTORY))
    expect([run.code, run.report.totals.published, modesOf(run)]).toEqual([0, MISSING.length, ['full']])
  })
})
