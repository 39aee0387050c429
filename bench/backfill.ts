/**
 * `npm run bench -- backfill [--events 20000] [--command catchup] [--cpu-prof DIR]`: copies a generated history from
 * one lean relay to an empty one and prints how fast, how large, and how much went over the wire.
 */
import { parseArgs } from 'node:util'

import { giveFigures } from './figures.ts'
import { historySizeOf } from './history.ts'
import { measureProgram, startRelayProcess } from './run-program.ts'

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '20000' },
    command: { type: 'string', default: 'backfill' },
    'node-arg': { type: 'string', multiple: true, default: [] },
  },
})
const MIB = 1024 ** 2
const size = historySizeOf(Number(values.events))
print('events', `${size}`)
const [source, target] = await Promise.all([startRelayProcess(['--events', values.events]), startRelayProcess([])])
try {
  const window = values.command === 'backfill' ? ['--since', '2020-01-01'] : []
  const args = [values.command, '--source', source.url, '--target', target.url, '--scope', 'all', ...window]
  const { code, report, ms, cpuMs, mainThreadMs, peakBytes } = await measureProgram(args, values['node-arg'])
  const [read, written] = [await source.traffic(), await target.traffic()]
  print('exit', `${code}, ${written.stored} of ${size} stored`)
  print('time', `${(ms / 1000).toFixed(1)} s, ${Math.round(size / (ms / 1000))} events/s`)
  print(
    'processor',
    `${(cpuMs / 1000).toFixed(1)} s, ${each(cpuMs)} an event, ${each(mainThreadMs)} in the main thread`,
  )
  print('peak memory', `${(peakBytes / MIB).toFixed(0)} MiB resident`)
  print('source', `${read.requests} REQs, ${(read.bytesOut / MIB).toFixed(1)} MiB received, ${size} events`)
  print('target', `${written.requests} REQs, ${toMib(written.bytesIn)} sent, ${toMib(written.bytesOut)} received`)
  giveFigures({ events: size, code, ms, cpuMs, mainThreadMs, peakBytes, source: read, target: written })
  if (written.stored !== size || report.exit !== 0) process.exitCode = 1
} finally {
  await Promise.all([source.close(), target.close()])
}

function each(ms: number): string {
  return `${((ms * 1000) / size).toFixed(0)} µs`
}

function toMib(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`
}

function print(what: string, value: string): void {
  process.stdout.write(`${what.padEnd(12)} ${value}\n`)
}
