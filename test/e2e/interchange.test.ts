import { readFileSync } from 'node:fs'

import { describe, expect, it } from 'vitest'

import type { NostrEvent } from '../../src/nostr/event.ts'
import { issue } from '../support/builders.ts'
import { bob, smallRepository } from '../support/scenes.ts'
import { createWorkbench, idsOf } from '../support/workbench.ts'

const { address, events: plain } = smallRepository()
const events = [...plain, issue(address, bob, { content: 'a < b && "c" > d\n\tü ☃ 🎉 / \\' })]
const before = events.slice(0, 3)

/** How tools write an event on a line: the order of its fields, and what they escape. All write one a line. */
const TOOLS: Readonly<Record<string, (event: NostrEvent) => string>> = {
  // Fields in alphabetical order.
  'strfry export': (event) => JSON.stringify(event, Object.keys(event).sort()),
  // Go escapes what HTML would take for its own.
  'nak req': ({ kind, id, pubkey, created_at, tags, content, sig }) =>
    JSON.stringify({ kind, id, pubkey, created_at, tags, content, sig }).replace(
      /[<>&]/g,
      (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
    ),
  // As the relay had it.
  nosdump: ({ content, created_at, id, kind, pubkey, sig, tags }) =>
    JSON.stringify({ id, created_at, kind, tags, content, pubkey, sig, relay: 'wss://relay.example' }),
  'a log of messages to a relay': (event) => JSON.stringify(['EVENT', event]),
  'a log of messages of a relay': (event) => JSON.stringify(['EVENT', 'sub', event]),
}

describe.each(Object.entries(TOOLS))('a file as %s writes it', (_, format) => {
  it('is restored to a relay', async () => {
    const bench = createWorkbench()
    const file = bench.file('export.jsonl', events.map(format))
    const target = await bench.scripted()
    const { code, report } = await bench.catchup(file, target)
    expect([...target.events.values()].sort(byId)).toEqual([...events].sort(byId))
    expect([code, report.problems]).toEqual([0, []])
  })

  it('is appended to: what stands in it stays, and nothing comes twice', async () => {
    const bench = createWorkbench()
    const lines = before.map(format)
    const file = bench.file('export.jsonl', lines)
    const source = await bench.scripted({ events })
    const runs = [await bench.catchup(source, file), await bench.catchup(source, file, '--full')]
    const written = readFileSync(file, 'utf8').trimEnd().split('\n')
    expect(written.slice(0, lines.length)).toEqual(lines)
    const added = written.slice(lines.length).map((line) => JSON.parse(line) as NostrEvent)
    expect(idsOf(added)).toEqual(idsOf(events.slice(before.length)))
    expect(runs.map(({ code, report }) => [code, report.totals.published])).toEqual([
      [0, added.length],
      [0, 0],
    ])
  })
})

function byId(a: NostrEvent, b: NostrEvent): number {
  return a.id < b.id ? -1 : 1
}
