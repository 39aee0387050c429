/**
 * `npm run bench -- pacing [--events 90]`: sends to a relay that takes 60 events at once, then one a second, and says
 * so (ngit-grasp), and prints the rate against the best possible one.
 */
import { parseArgs } from 'node:util'

import { giveFigures } from './figures.ts'
import { historySizeOf } from './history.ts'
import { measureProgram, startRelayProcess } from './run-program.ts'

const BURST = 60

const { values } = parseArgs({ options: { events: { type: 'string', default: '90' } } })
const size = historySizeOf(Number(values.events))
const [source, target] = await Promise.all([
  startRelayProcess(['--events', values.events]),
  startRelayProcess(['--software', 'ngit-grasp', '--burst', String(BURST)]),
])
try {
  const { report, ms } = await measureProgram([
    ...['catchup', '--source', source.url, '--target', target.url, '--scope', 'all'],
  ])
  const { stored, rateLimited, firstEventMs, lastEventMs } = await target.traffic()
  const seconds = (lastEventMs - firstEventMs) / 1000
  const best = size - BURST
  process.stdout.write(
    `sent         ${stored} of ${size} stored, ${rateLimited} times rate-limited, exit ${report.exit}\n`,
  )
  process.stdout.write(
    `sending      ${seconds.toFixed(1)} s, the relay allows ${best} s: ratio ${(seconds / best).toFixed(3)}\n`,
  )
  process.stdout.write(`rate         ${((size - BURST) / seconds).toFixed(3)} events/s behind the burst\n`)
  process.stdout.write(`run          ${(ms / 1000).toFixed(1)} s in all\n`)
  giveFigures({ events: size, stored, rateLimited, seconds, allowedSeconds: best, ms, exit: report.exit })
  if (stored !== size || report.exit !== 0) process.exitCode = 1
} finally {
  await Promise.all([source.close(), target.close()])
}
