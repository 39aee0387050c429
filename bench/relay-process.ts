/**
 * `node dist-bench/bench/relay-process.js [--events N] [--software TEXT] [--burst N]`: a lean relay in a process of its
 * own, so that its memory and its time do not count. Prints `listening <events> ws://…`; ends with its standard input.
 */
import { parseArgs } from 'node:util'

import { historyOf } from './history.ts'
import { startLeanRelay } from './lean-relay.ts'

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '0' },
    software: { type: 'string' },
    burst: { type: 'string' },
  },
})
const url = await startLeanRelay({
  events: historyOf(Number(values.events)),
  ...(values.software === undefined ? {} : { software: values.software }),
  ...(values.burst === undefined ? {} : { burst: Number(values.burst) }),
})
process.stdout.write(`listening ${url}\n`)
process.stdin.resume().once('close', () => process.exit(0))
