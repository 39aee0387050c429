import { describe, expect, it } from 'vitest'

import type { NostrEvent } from '../src/nostr/event.ts'
import { WitnessLog } from '../src/witness-log.ts'
import { openTemporaryState } from './support/temporary-state.ts'

const RELAY = 'ws://target.example'

function eventsFrom(first: number, count: number): NostrEvent[] {
  return Array.from({ length: count }, (_, index) => ({
    id: (first + index).toString(16).padStart(64, '0'),
    pubkey: 'a'.repeat(64),
    created_at: first + index,
    kind: 1621,
    tags: [],
    content: '',
    sig: '',
  }))
}

function saved(log: WitnessLog, relay = RELAY): string[] {
  const { witnesses } = openTemporaryState().state
  log.save(witnesses, 1)
  return witnesses.sample(relay, 10_000).map(({ id }) => id)
}

describe('WitnessLog', () => {
  it('keeps the newest 500 of an endpoint, whatever order they came in', () => {
    const log = new WitnessLog()
    for (const events of [eventsFrom(5_000, 300), eventsFrom(1, 1_500), eventsFrom(9_000, 100)]) log.add(RELAY, events)
    const kept = [...eventsFrom(9_000, 100), ...eventsFrom(5_000, 300), ...eventsFrom(1_401, 100)]
    expect(saved(log).sort()).toEqual(kept.map(({ id }) => id).sort())
  })

  it('keeps endpoints apart', () => {
    const log = new WitnessLog()
    log.add(RELAY, eventsFrom(1, 2))
    log.add('ws://source.example', eventsFrom(3, 1))
    expect([saved(log).length, saved(log, 'ws://source.example').length]).toEqual([2, 1])
  })

  it('writes nothing down before it is saved', () => {
    const { witnesses } = openTemporaryState().state
    new WitnessLog().add(RELAY, eventsFrom(1, 2))
    expect(witnesses.sample(RELAY, 10)).toEqual([])
  })
})
