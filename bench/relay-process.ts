/**
 * `node dist-bench/bench/relay-process.js [--events N | --file FILE] [--negentropy] [--software TEXT] [--burst N]`: a
 * lean relay in a process of its own, so that its memory and its time do not count; it holds a generated history or the
 * events of a JSONL file. Prints `listening ws://…`; ends with its standard input.
 */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

import type { NostrEvent } from '../src/nostr/event.ts'
import { historyOf } from './history.ts'
import { startLeanRelay } from './lean-relay.ts'

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '0' },
    file: { type: 'string' },
    negentropy: { type: 'boolean', default: false },
    software: { type: 'string' },
    burst: { type: 'string' },
  },
})
const url = await startLeanRelay({
  events: values.file === undefined ? historyOf(Number(values.events)) : readEvents(values.file),
  negentropy: values.negentropy,
  ...(values.software === undefined ? {} : { software: values.software }),
  ...(values.burst === undefined ? {} : { burst: Number(values.burst) }),
})
process.stdout.write(`listening ${url}\n`)
process.stdin.resume().once('close', () => process.exit(0))

function readEvents(file: string): NostrEvent[] {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  return lines.map((line) => JSON.parse(line) as NostrEvent)
}
