/**
 * `node dist-bench/bench/relay-process.js [--events N | --file FILE] [--without I/N] [--negentropy] [--software TEXT]
 * [--burst N]`: a lean relay in a process of its own, so that its memory and its time do not count; it holds a generated
 * history or the events of a JSONL file, of N events in turn all but the Ith. Prints `listening ws://…`; ends with its
 * standard input.
 */
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'

import type { NostrEvent } from '../src/nostr/event.ts'
import { historyOf } from './history.ts'
import { startLeanRelay } from './lean-relay.ts'

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '0' },
    file: { type: 'string' },
    without: { type: 'string' },
    negentropy: { type: 'boolean', default: false },
    software: { type: 'string' },
    burst: { type: 'string' },
  },
})
const url = await startLeanRelay({
  events: without(values.file === undefined ? historyOf(Number(values.events)) : readEvents(values.file)),
  negentropy: values.negentropy,
  ...(values.software === undefined ? {} : { software: values.software }),
  ...(values.burst === undefined ? {} : { burst: Number(values.burst) }),
})
process.stdout.write(`listening ${url}\n`)
process.stdin.resume().once('close', () => process.exit(0))

async function* readEvents(file: string): AsyncGenerator<NostrEvent> {
  for await (const line of createInterface({ input: createReadStream(file) })) yield JSON.parse(line) as NostrEvent
}

async function* without(events: Iterable<NostrEvent> | AsyncIterable<NostrEvent>): AsyncGenerator<NostrEvent> {
  const [part, parts] = values.without?.split('/').map(Number) ?? []
  let number = 0
  for await (const event of events) if (parts === undefined || number++ % parts !== part) yield event
}
