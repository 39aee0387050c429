import { describe, expect, it } from 'vitest'

import type { NostrEvent } from '../src/nostr/event.ts'
import type { Endpoint } from '../src/relay/endpoint.ts'
import type { Report } from '../src/report/report.ts'
import { announcement, comment, deletion, issue, repositoryAddress, state } from './support/builders.ts'
import { runInProcess } from './support/in-process.ts'
import { createMemoryFile, createMemoryEndpoint, type MemoryEndpoint } from './support/memory-endpoint.ts'
import { alice, bob, carol } from './support/scenes.ts'
import { openTemporaryState } from './support/temporary-state.ts'

const NOW = 1_750_000_000
const DAY = 86_400
const OLD = NOW - 100 * DAY

const announced = announcement(alice, 'hello', { createdAt: OLD })
const root = issue(repositoryAddress(alice, 'hello'), bob, { createdAt: OLD + 1 })

/** Comments of one second each. */
function comments(count: number, from: number): NostrEvent[] {
  return Array.from({ length: count }, (_, index) =>
    comment(root, carol, { createdAt: from + index, content: `${index}` }),
  )
}

/** Runs with one state file. */
function runsOf(source: Endpoint, target: MemoryEndpoint): (now: number) => Promise<Report> {
  const { file } = openTemporaryState()
  return async (now) => {
    const { state: targetState, db } = openTemporaryState({ file })
    const report = await runInProcess({ sources: [source], target, state: targetState, now })
    db.close()
    return report
  }
}

function restore({ events }: MemoryEndpoint, backup: ReadonlyMap<string, NostrEvent>): void {
  events.clear()
  for (const [id, event] of backup) events.set(id, event)
}

function add({ events }: MemoryEndpoint, added: readonly NostrEvent[]): void {
  for (const event of added) events.set(event.id, event)
}

describe('a restored target', () => {
  it('is noticed by what a run brought last, although a full run has proved all of it since (no false green #5)', async () => {
    const source = createMemoryEndpoint({
      url: 'ws://source',
      events: [announced, root, ...comments(300, OLD + 1_000)],
    })
    const target = createMemoryEndpoint()
    const run = runsOf(source, target)
    await run(NOW)
    const backup = new Map(target.events)
    const repaired = comments(3, OLD + 10)
    add(source, repaired)
    await run(NOW + 2 * DAY)
    await run(NOW + 4 * DAY)
    restore(target, backup)
    const { exit } = await run(NOW + 4 * DAY + 60)
    expect([exit, repaired.filter(({ id }) => !target.events.has(id))]).toEqual([0, []])
  })

  it.each([
    ['relay', createMemoryEndpoint],
    ['file', createMemoryFile],
  ])('gets from a %s what it had another version of in its place (no false green #5)', async (_, createEnd) => {
    const versions = ['a', 'b'].map((commit) =>
      state(alice, 'hello', { createdAt: OLD + 5, commit: commit.repeat(40) }),
    )
    const [ours, theirs] = versions.sort((a, b) => (a.id < b.id ? -1 : 1)) as [NostrEvent, NostrEvent]
    const replaced = { type: 'ok', accepted: false, text: 'replaced: have newer event' } as const
    const source = createEnd({ url: 'ws://source', events: [announced, root, ours] })
    const target = createMemoryEndpoint({
      events: [announced, theirs],
      onPublish: ({ id }) => (id === ours.id && target.events.has(theirs.id) ? replaced : undefined),
    })
    const run = runsOf(source, target)
    const before = await run(NOW)
    target.events.clear()
    const after = await run(NOW + 60)
    expect([before.exit, after.exit, [...target.events.keys()].sort()]).toEqual([
      0,
      0,
      [announced.id, root.id, ours.id].sort(),
    ])
  })

  it('gets the deletion that it held and did not serve (no false green #5)', async () => {
    const deleted = deletion({ ids: [root.id] }, bob, { createdAt: OLD + 50 })
    const source = createMemoryEndpoint({ url: 'ws://source', events: [announced, root, deleted] })
    const others = comments(1, OLD + 10)
    const target = createMemoryEndpoint({ events: [announced, ...others] })
    let isKnown = true
    const publish = target.publish
    const holding: MemoryEndpoint = {
      ...target,
      publish: (event) =>
        isKnown && event.id === deleted.id
          ? Promise.resolve({ type: 'ok', accepted: true, text: 'duplicate: have this event' })
          : publish(event),
    }
    const run = runsOf(source, holding)
    await run(NOW)
    isKnown = false
    restore(target, new Map([[root.id, root]]))
    await run(NOW + 60)
    expect([target.events.has(deleted.id), target.events.has(root.id)]).toEqual([true, false])
  })
})
