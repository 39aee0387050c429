import { hash } from 'node:crypto'
import type { NostrEvent } from '../../src/nostr/event.ts'

/** An event of the right shape: id and signature are made up, which no file looks at. */
export function buildEvent(seed: string | number, fields: Partial<NostrEvent> = {}): NostrEvent {
  const id = hash('sha256', `id ${seed}`)
  const pubkey = hash('sha256', 'author')
  return {
    id,
    pubkey,
    created_at: 1_700_000_000,
    kind: 1621,
    tags: [],
    content: `event ${seed}`,
    sig: id + id,
    ...fields,
  }
}

/** Events with rising `created_at`. */
export function buildEvents(count: number): NostrEvent[] {
  return Array.from({ length: count }, (_, n) => buildEvent(n, { created_at: 1_700_000_000 + n }))
}

/** The events as the text of a JSONL file. */
export function toJsonl(events: readonly NostrEvent[]): string {
  return events.map((event) => `${JSON.stringify(event)}\n`).join('')
}
