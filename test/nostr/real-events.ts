import { readFileSync } from 'node:fs'
import { parseEvent, type NostrEvent } from '../../src/nostr/event.ts'

const FILE = new URL('../../src/demo/events/nip34.jsonl', import.meta.url)

/** The signed events of real repositories, in the order of the file. */
export function realEvents(): NostrEvent[] {
  const lines = readFileSync(FILE, 'utf8').trim().split('\n')
  return lines.flatMap((line) => parseEvent(JSON.parse(line)) ?? [])
}
