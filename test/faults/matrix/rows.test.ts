import { createHash } from 'node:crypto'

import { signSchnorr } from 'tiny-secp256k1'

import type { NostrEvent } from '../../../src/nostr/event.ts'
import { comment } from '../../support/builders.ts'
import { alice, bob } from '../../support/scenes.ts'
import { forge, signEvent, type Key } from '../../support/sign.ts'
import { LAYERS, type Expected, type Fault } from './fault.ts'
import { describeMatrix } from './run-matrix.ts'
import { HELD, HISTORY, layerOf } from './scene.ts'

const root = HELD.find(({ kind }) => [1617, 1618, 1621].includes(kind)) ?? HISTORY[4]
if (root === undefined) throw new Error('the scene has no root')
/** A comment that the target lacks. */
const remark = HISTORY.find((event) => event.kind === 1111 && !HELD.includes(event)) ?? root
/** Older than all else: behind the rows of a page it is in order. */
const plain = comment(root, bob, { createdAt: 1_600_000_000 })

const complete: Expected = { exit: 0 }
const counted = (says: RegExp): Expected => ({ exit: 0, says })

/** Signed as it stands, whatever stands there. */
function signAnything(key: Key, draft: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { created_at: createdAt, kind, tags, content } = draft
  const hash = createHash('sha256')
    .update(JSON.stringify([0, key.pubkey, createdAt, kind, tags, content]))
    .digest()
  return {
    ...draft,
    pubkey: key.pubkey,
    id: hash.toString('hex'),
    sig: Buffer.from(signSchnorr(hash, key.secret)).toString('hex'),
  }
}

const draft = { kind: plain.kind, created_at: 1_600_000_000, tags: plain.tags, content: 'odd' }

/** Rows that are no events, behind the first answer of layer 3 that has rows. */
function strewn(rows: readonly unknown[]): Fault['arm'] {
  return ({ source, truth }) => {
    source.script.behaviour.extraRows = (filter) =>
      layerOf(filter, truth) === 'layer 3' && filter.until === undefined ? rows : []
  }
}

/** A text frame whose last letters are no UTF-8. */
function breakText(frame: readonly unknown[]): Buffer {
  return Buffer.concat([
    Buffer.from(JSON.stringify(frame).slice(0, -3)),
    Buffer.from([0xc3, 0x28, 0xff, 0x22, 0x7d, 0x5d]),
  ])
}

/** An event that its author signed and no target must get. */
function odd(name: string, junk: readonly unknown[], expected = counted(/not an event/)): Fault {
  return { name, phases: ['layer 3'], scripts: 'both', junk, expected }
}

/** A true event that must arrive. */
function strange(name: string, events: readonly NostrEvent[]): Fault {
  return { name, phases: ['layer 3'], scripts: 'source', events, expected: complete }
}

describeMatrix('rows', [
  odd(
    'forged signature',
    [{ ...plain, sig: plain.sig.replace(/^./, (c) => (c === 'a' ? 'b' : 'a')) }],
    counted(/wrong signature/),
  ),
  odd('wrong id', [forge(plain, 'other words')], counted(/wrong id/)),
  {
    name: 'a valid event hidden by a forged copy, at another source',
    phases: ['layer 3'],
    scripts: 'both',
    secondSource: HISTORY,
    arm: ({ source }) => void source.script.events.set(remark.id, forge(remark)),
    expected: counted(/wrong id/),
    heals: ({ source }) => void source.script.events.set(remark.id, remark),
  },
  {
    name: 'a valid event behind a forged copy, in one answer',
    phases: ['layer 3'],
    scripts: 'source',
    arm: ({ source }) => {
      source.script.behaviour.onReq = ({ answer }) => ({
        ...answer,
        rows: answer.rows.flatMap((row) => ((row as NostrEvent).id === remark.id ? [forge(remark), row] : [row])),
      })
    },
    expected: counted(/wrong id/),
  },
  strange('millisecond timestamps', [comment(root, bob, { createdAt: 1_750_000_000_000 })]),
  strange(
    'far future',
    [4_102_444_800, 9_000_000_000].map((createdAt) => comment(root, bob, { createdAt })),
  ),
  strange(
    'the year 1970',
    [0, 1].map((createdAt) => comment(root, bob, { createdAt })),
  ),
  odd('negative created_at', [signAnything(bob, { ...draft, created_at: -1 })]),
  odd('created_at with a fraction', [signAnything(bob, { ...draft, created_at: 1_600_000_000.5 })]),
  odd('created_at beyond 2^53', [signAnything(bob, { ...draft, created_at: 2 ** 60 })]),
  odd('a kind that is none', [signAnything(bob, { ...draft, kind: 70_000 })]),
  {
    name: 'invalid UTF-8',
    phases: LAYERS,
    scripts: 'source',
    arm: ({ source, truth }, phase) => {
      const { behaviour } = source.script
      const hit = new Set<unknown>()
      behaviour.onReq = ({ subId, filters }) => {
        if (filters.some((filter) => layerOf(filter, truth) === phase)) hit.add(subId)
        return 'default'
      }
      behaviour.outgoing = (frame) => (hit.has(frame[1]) && frame[0] === 'EVENT' ? [breakText(frame)] : [frame])
    },
    expected: { exit: 3, says: /invalid UTF-8/i },
  },
  odd('lone surrogates', [signAnything(bob, { ...draft, content: '\ud800 and \udc00' })], counted(/wrong id/)),
  strange('NUL and other controls', [
    comment(root, alice, { createdAt: 1_710_000_000, content: 'a\u0000b\u001b[2Jc\u007f', tags: [['x', '\u0000']] }),
  ]),
  strange('no tags, no content', [
    signEvent(bob, { kind: 1111, created_at: 1_710_000_120, tags: [['E', root.id], []], content: '' }),
  ]),
  {
    name: 'tags that are not arrays of strings',
    phases: ['layer 3'],
    scripts: 'source',
    arm: strewn([
      signAnything(bob, {
        ...draft,
        tags: [
          ['e', root.id],
          [1, 2],
        ],
      }),
      signAnything(bob, { ...draft, tags: 'e' }),
      signAnything(bob, { ...draft, tags: [['e', root.id], { a: 1 }] }),
      signAnything(bob, { ...draft, tags: [['e', root.id], [null]] }),
    ]),
    expected: counted(/not an event/),
  },
  {
    name: 'rows that look like events',
    phases: ['layer 3'],
    scripts: 'source',
    arm: strewn([{ id: 'x' }, { ...plain, id: 7 }, { ...plain, pubkey: 'npub1' }, { ...plain, sig: undefined }]),
    expected: counted(/not an event/),
  },
  {
    name: 'rows that are anything but events',
    phases: ['layer 3'],
    scripts: 'source',
    arm: strewn([null, 'text', 7, true, [], {}]),
    // A page of nothing else proves nothing.
    expected: { exit: 3, says: /only what was not asked for/ },
  },
])
