/**
 * `npm run bench -- copies [--events 30000 | --file FILE] [--lacking 100]`: `check --copies 3` over three lean relays
 * with one generated history, or the events of a JSONL file, of which each lacks another event of so many; by NIP-77 and
 * by paging. Prints what each took.
 */
import { parseArgs } from 'node:util'

import { giveFigures } from './figures.ts'
import { measureProgram, startRelayProcess } from './run-program.ts'

const MIB = 1024 ** 2

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '30000' },
    file: { type: 'string' },
    lacking: { type: 'string', default: '100' },
  },
})
const holding = values.file === undefined ? ['--events', values.events] : ['--file', values.file]
const relays = await Promise.all(
  [0, 1, 2].map((part) => startRelayProcess([...holding, '--without', `${part}/${values.lacking}`, '--negentropy'])),
)
const [source, other, target] = relays.map(({ url }) => url) as [string, string, string]
const ways = []
try {
  for (const [way, args] of [
    ['by NIP-77', []],
    ['by pages', ['--no-reconcile']],
  ] as const) {
    const ends = ['--source', source, '--source', other, '--target', target, '--scope', 'all']
    const { code, ms, cpuMs, peakBytes, report } = await measureProgram(['check', ...ends, '--copies', '3', ...args])
    const { events = 0, below = 0, undecided = 0 } = report.check?.copies ?? {}
    const figures = { way, events, below, undecided, code, ms, cpuMs, peakBytes }
    ways.push(figures)
    process.stdout.write(
      `${way.padEnd(10)} ${events} events, ${below} below, ${undecided} undecided, exit ${code}; ${(ms / 1000).toFixed(1)} s, ` +
        `${Math.round((cpuMs * 1000) / events)} µs an event, all threads; peak ${(peakBytes / MIB).toFixed(0)} MiB\n`,
    )
  }
  giveFigures({ ways })
} finally {
  await Promise.all(relays.map(({ close }) => close()))
}
