import { announcement, comment, issue } from '../../support/builders.ts'
import { alice, bob, carol } from '../../support/scenes.ts'
import { forge } from '../../support/sign.ts'
import { LAYERS, type Fault } from './fault.ts'
import { describeMatrix } from './run-matrix.ts'
import { HISTORY, layerOf } from './scene.ts'

const MIB = 2 ** 20
const root = HISTORY.find(({ kind }) => [1617, 1618, 1621].includes(kind)) ?? announcement(alice, 'none')
const { pubkey = '', tags = [] } = HISTORY.find(({ kind }) => kind === 30617) ?? {}
const address = `30617:${pubkey}:${tags.find(([name]) => name === 'd')?.[1] ?? ''}`

const huge = comment(root, bob, { createdAt: 1_710_000_000, content: 'x'.repeat(10 * MIB) })
const beyondBounds = comment(root, bob, { createdAt: 1_710_000_001, content: 'x'.repeat(17 * MIB) })
/** In the same batch as the huge one, before and after it. */
const neighbours = [-60, 60].map((offset) => comment(root, bob, { createdAt: 1_710_000_000 + offset }))

/** Rows without end behind each answer of a layer. */
function pours(row: unknown, count: number): Fault['arm'] {
  return ({ source, truth }, phase) => {
    source.script.behaviour.extraRows = (filter) =>
      layerOf(filter, truth) === phase ? Array.from({ length: count }, () => row) : []
  }
}

/**
 * What goes on after the end of the page was not asked for: the connection is dropped for it, with what else was asked
 * there.
 */
function orUnasked(says: RegExp): RegExp {
  return new RegExp(`${says.source}|more than 1 MiB that was not asked for`)
}

function nested(depth: number): string {
  return '['.repeat(depth) + ']'.repeat(depth)
}

describeMatrix('sizes', [
  {
    name: 'a 10 MB event that the target takes',
    phases: ['layer 3'],
    scripts: 'both',
    events: [huge, ...neighbours],
    expected: { exit: 0 },
  },
  {
    name: 'a 10 MB event that the target says is too large',
    phases: ['publishing'],
    scripts: 'both',
    events: neighbours,
    junk: [huge],
    maxMessageBytes: MIB,
    document: { limitation: { max_message_length: MIB } },
    expected: { exit: 0, says: /too-large/ },
  },
  {
    name: 'an event that makes the target cut the connection',
    phases: ['publishing'],
    scripts: 'both',
    events: neighbours,
    junk: [huge],
    maxMessageBytes: MIB,
    expected: { exit: 3, says: /connection closed \(1009\)|EPIPE|ECONNRESET|connection closed/ },
    // It waits on disk until it is given up; what was in flight with it arrives.
    next: { exit: 3, says: /unanswered/ },
  },
  {
    name: 'an event beyond every bound',
    phases: ['layer 3'],
    scripts: 'both',
    junk: [beyondBounds],
    maxMessageBytes: 32 * MIB,
    expected: { exit: 3, says: /Max payload size exceeded/ },
    heals: ({ source }) => void source.script.events.delete(beyondBounds.id),
  },
  {
    name: 'an endless stream of rows',
    phases: LAYERS,
    scripts: 'source',
    arm: pours(forge(root), 12_000),
    expected: { exit: 3, says: orUnasked(/page over 10000 rows/) },
  },
  {
    name: 'an endless stream of bytes',
    phases: LAYERS,
    scripts: 'source',
    arm: pours({ ...forge(root), content: 'x'.repeat(4 * MIB) }, 10),
    expected: { exit: 3, says: orUnasked(/page over 33554432 bytes/) },
  },
  {
    name: 'more bytes than --max-bytes',
    phases: LAYERS,
    scripts: 'source',
    args: ['--max-bytes', '300kB'],
    arm: pours({ ...forge(root), content: 'x'.repeat(200_000) }, 2),
    expected: { exit: 3, says: /--max-bytes/ },
  },
  {
    name: 'an endless stream of notices and nonsense',
    phases: ['layer 2'],
    scripts: 'source',
    waits: true,
    arm: ({ source, isIn }, phase) => {
      source.script.behaviour.onReq = async ({ filters, answer }) => {
        if (!filters.some((filter) => isIn(phase, filter))) return 'default'
        return { ...answer, rows: [], end: { type: 'never' } }
      }
      source.script.behaviour.outgoing = (frame) => [
        ...Array.from({ length: 500 }, (_, n) => ['NOTICE', `${n} `.repeat(200)]),
        ...Array.from({ length: 500 }, () => ['EVENT', 'unknown', root]),
        frame,
      ]
    },
    expected: { exit: 3, says: orUnasked(/idle 0\.7 s/) },
  },
  {
    name: 'deep JSON',
    phases: ['layer 2'],
    scripts: 'source',
    arm: ({ source }) => {
      const deep = nested(50_000)
      source.script.behaviour.outgoing = (frame) => {
        if (frame[0] !== 'EOSE') return [frame]
        const row = JSON.stringify({ ...root, tags: 0 }).replace('"tags":0', `"tags":${deep}`)
        return [deep, `["EVENT","${String(frame[1])}",${deep}]`, `["EVENT","${String(frame[1])}",${row}]`, frame]
      }
    },
    expected: { exit: 3, says: /not an event/ },
  },
  {
    name: 'very many anchors',
    phases: ['layer 2'],
    scripts: 'both',
    events: Array.from({ length: 1_500 }, (_, n) =>
      issue(address, carol, { createdAt: 1_715_000_000 + n, content: `issue ${n}` }),
    ),
    expected: { exit: 0 },
  },
])
