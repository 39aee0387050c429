import type { NostrEvent } from '../../../src/nostr/event.ts'
import type { Filter } from '../../../src/nostr/filter.ts'
import { announcement, comment, issue, repositoryAddress } from '../../support/builders.ts'
import { findEvents } from '../../support/memory-store.ts'
import { alice, bob, carol } from '../../support/scenes.ts'
import type { ReqAnswer } from '../../support/scripted-behaviour.ts'
import { keyOf } from '../../support/sign.ts'
import { LAYERS, type Expected, type Fault, type Phase } from './fault.ts'
import { describeMatrix } from './run-matrix.ts'
import { HISTORY } from './scene.ts'
import type { Stage } from './stage.ts'

const FOREIGN = issue(repositoryAddress(carol, 'foreign'), carol)
const CROWDED_SECOND = 1_720_000_000

/** Twelve events in one second that only this layer finds. */
const CROWDS: Readonly<Partial<Record<Phase, readonly NostrEvent[]>>> = {
  'layer 1': dozen((n) => announcement(keyOf(`owner-${n}`), 'crowd', { createdAt: CROWDED_SECOND })),
  'layer 2': dozen((n) => issue(firstAddress(), bob, { createdAt: CROWDED_SECOND, content: `issue ${n}` })),
  'layer 3': dozen((n) => comment(firstRoot(), bob, { createdAt: CROWDED_SECOND, content: `comment ${n}` })),
}

/** Answers what reads this layer in another way: gets the usual answer and what a relay without bounds would find. */
function answersLayer(change: (usual: ReqAnswer, find: (filter: Filter) => NostrEvent[], filter: Filter) => ReqAnswer) {
  return ({ source, isIn }: Stage, phase: Phase): void => {
    const { behaviour, events } = source.script
    behaviour.onReq = ({ filters: [filter = {}], answer }) =>
      isIn(phase, filter) ? change(answer, (other) => findEvents(events, [other]), filter) : 'default'
  }
}

const partial = (says: RegExp): Expected => ({ exit: 3, says })

/** A lie about the order or the bounds of pages; a comparison by NIP-77 needs pages for its last proof only. */
const liars: readonly Fault[] = [
  {
    name: 'ignores until',
    phases: LAYERS,
    scripts: 'source',
    arm: answersLayer((usual, find, { until: _until, ...rest }) => ({ ...usual, rows: find(rest).slice(0, 3) })),
    expected: partial(/not asked for|descending|more events in (one )?second/),
  },
  {
    name: 'sends the same page for ever',
    phases: LAYERS,
    scripts: 'source',
    arm: (stage, phase) => {
      const first = new Map<string, readonly unknown[]>()
      answersLayer((usual, _find, { until: _until, since: _since, limit: _limit, ...rest }) => {
        const key = JSON.stringify(rest)
        if (!first.has(key)) first.set(key, usual.rows)
        return { ...usual, rows: first.get(key) ?? [] }
      })(stage, phase)
    },
    expected: (_phase, mode) => (mode === 'paging' ? partial(/not asked for/) : { exit: [0, 3] }),
  },
  {
    name: 'sends its pages in no order',
    phases: LAYERS,
    scripts: 'source',
    arm: answersLayer((usual) => ({ ...usual, rows: [...usual.rows].reverse() })),
    // The order in which ids were asked for is nobody's business.
    expected: (_phase, mode) => (mode === 'paging' ? partial(/not in descending order/) : { exit: [0, 3] }),
  },
  {
    name: 'adds events that do not match',
    phases: LAYERS,
    scripts: 'source',
    arm: answersLayer((usual) => ({ ...usual, rows: [FOREIGN, ...usual.rows] })),
    expected: partial(/not asked for/),
  },
  {
    name: 'adds events that do not match, while it has some that do',
    phases: LAYERS,
    scripts: 'source',
    arm: answersLayer((usual) => ({ ...usual, rows: usual.rows.length === 0 ? [] : [FOREIGN, ...usual.rows] })),
    expected: { exit: 0, says: /not asked for/ },
  },
]

describeMatrix('pages', [
  {
    name: 'page cap below limit',
    phases: ['layer 2', 'asking the target'],
    scripts: 'both',
    arm: ({ endOf }, phase) => void (endOf(phase).script.behaviour.pageCap = 2),
    expected: { exit: 0 },
  },
  {
    name: 'page cap of 1',
    phases: ['layer 2', 'asking the target'],
    scripts: 'both',
    arm: ({ endOf }, phase) => void (endOf(phase).script.behaviour.pageCap = 1),
    // No second can be shown to be whole: a comparison that lists one event too may have been cut off.
    expected: partial(/more events in second \d+ than a page holds \(1\)/),
  },
  {
    name: 'more rows than limit allows',
    phases: LAYERS,
    scripts: 'source',
    arm: answersLayer((usual, find, { limit: _limit, ...rest }) => ({ ...usual, rows: find(rest) })),
    expected: { exit: 0 },
  },
  {
    name: 'every row twice',
    phases: LAYERS,
    scripts: 'source',
    arm: answersLayer((usual) => ({ ...usual, rows: usual.rows.flatMap((row) => [row, row]) })),
    expected: { exit: 0 },
  },
  {
    name: 'rows again after EOSE',
    phases: LAYERS,
    scripts: 'source',
    arm: answersLayer((usual) => ({ ...usual, late: usual.rows })),
    expected: { exit: 0 },
  },
  ...liars,
  ...LAYERS.map((phase): Fault => ({
    name: `more in one second than a page, ${phase}`,
    phases: [phase],
    scripts: 'source',
    events: CROWDS[phase] ?? [],
    arm: ({ source }) => void (source.script.behaviour.pageCap = 5),
    expected: (_phase, mode) => (mode === 'paging' ? partial(/more events in second 1720000000/) : { exit: 0 }),
  })),
])

function dozen(build: (n: number) => NostrEvent): NostrEvent[] {
  return Array.from({ length: 12 }, (_, n) => build(n))
}

function firstAddress(): string {
  const { pubkey = '', tags = [] } = HISTORY.find(({ kind }) => kind === 30617) ?? {}
  return `30617:${pubkey}:${tags.find(([name]) => name === 'd')?.[1] ?? ''}`
}

function firstRoot(): NostrEvent {
  return HISTORY.find(({ kind }) => [1617, 1618, 1621].includes(kind)) ?? announcement(alice, 'none')
}
