import { describe, expect, it } from 'vitest'

import type { NostrEvent } from '../src/nostr/event.ts'
import { WitnessLog, type WitnessFacts } from '../src/run/witness-log.ts'
import { announcement, deletion, vanishRequest } from './support/builders.ts'
import { alice, smallRepository } from './support/scenes.ts'
import { openTemporaryState } from './support/temporary-state.ts'

const RELAY = 'ws://target.example'
const NOTHING: WitnessFacts = { repositoriesOf: () => [], isWithdrawn: () => false }

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

function savedWitnesses(log: WitnessLog, { relay = RELAY, ...facts }: Partial<WitnessFacts> & { relay?: string } = {}) {
  const { witnesses } = openTemporaryState().state
  log.save(witnesses, 1, { ...NOTHING, ...facts })
  return witnesses.sample(relay, 10_000)
}

function saved(log: WitnessLog, options: Parameters<typeof savedWitnesses>[1] = {}): string[] {
  return savedWitnesses(log, options).map(({ id }) => id)
}

describe('WitnessLog', () => {
  it('keeps the newest 250 of an endpoint, whatever order they came in', () => {
    const log = new WitnessLog()
    for (const events of [eventsFrom(5_000, 100), eventsFrom(1, 1_500), eventsFrom(9_000, 100)]) log.add(RELAY, events)
    const kept = [...eventsFrom(9_000, 100), ...eventsFrom(5_000, 100), ...eventsFrom(1_451, 50)]
    expect(saved(log).sort()).toEqual(kept.map(({ id }) => id).sort())
  })

  it('keeps the newest 250 of what was published beside them', () => {
    const log = new WitnessLog()
    log.add(RELAY, eventsFrom(5_000, 300))
    log.add(RELAY, eventsFrom(1, 300), { isPublished: true })
    const kept = [...eventsFrom(5_050, 250), ...eventsFrom(51, 250)]
    expect(saved(log).sort()).toEqual(kept.map(({ id }) => id).sort())
  })

  it('keeps endpoints apart', () => {
    const log = new WitnessLog()
    log.add(RELAY, eventsFrom(1, 2))
    log.add('ws://source.example', eventsFrom(3, 1))
    expect([saved(log).length, saved(log, { relay: 'ws://source.example' }).length]).toEqual([2, 1])
  })

  it('takes no deletions and no vanish requests: relays cease to serve them', () => {
    const log = new WitnessLog()
    log.add(RELAY, [deletion({ ids: ['1'.repeat(64)] }, alice), vanishRequest(['ALL_RELAYS'], alice)])
    expect(saved(log)).toEqual([])
  })

  it('leaves out what was taken back meanwhile', () => {
    const log = new WitnessLog()
    const [gone, ...rest] = eventsFrom(1, 3)
    log.add(RELAY, eventsFrom(1, 3))
    expect(saved(log, { isWithdrawn: ({ id }) => id === gone?.id }).sort()).toEqual(rest.map(({ id }) => id).sort())
  })

  it('remembers versions of addresses, and which repositories each belongs to', () => {
    const log = new WitnessLog()
    const event = announcement(alice, 'hello', { tags: [['expiration', '4000000000']] })
    log.add(RELAY, [event])
    const { address } = smallRepository()
    expect(savedWitnesses(log, { repositoriesOf: () => [address] })).toEqual([
      {
        id: event.id,
        pubkey: alice.pubkey,
        address,
        createdAt: event.created_at,
        expiresAt: 4_000_000_000,
        repositories: [address],
      },
    ])
  })

  it('writes nothing down before it is saved', () => {
    const { witnesses } = openTemporaryState().state
    new WitnessLog().add(RELAY, eventsFrom(1, 2))
    expect(witnesses.sample(RELAY, 10)).toEqual([])
  })
})
