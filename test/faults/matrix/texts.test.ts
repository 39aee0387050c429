import type { NostrEvent } from '../../../src/nostr/event.ts'
import { announcement, comment, issue, repositoryAddress, state } from '../../support/builders.ts'
import { alice, bob, carol } from '../../support/scenes.ts'
import { LAYERS, type Fault } from './fault.ts'
import { describeMatrix } from './run-matrix.ts'

/** Clears the screen, changes the title, forges a line, turns the direction, hides characters. */
const HOSTILE = '\u001b[2J\u001b]0;owned\u0007\r\ncomplete (0): all is well\u009b31m\u202egnp\u200b\u2066\u0000\u007f'
const ESCAPED = /\\x1b\[2J|\\u001b\[2J/

/** A repository of alice with this identifier, its state, an issue and a comment. */
function repository(d: string, index: number): NostrEvent[] {
  const createdAt = 1_705_000_000 + index * 600
  const address = repositoryAddress(alice, d)
  const bug = issue(address, bob, { createdAt: createdAt + 120, content: `issue ${index}` })
  return [
    announcement(alice, d, { createdAt }),
    state(alice, d, { createdAt: createdAt + 60 }),
    bug,
    comment(bug, carol, { createdAt: createdAt + 180 }),
  ]
}

function identifiers(name: string, ds: readonly string[]): Fault {
  return {
    name: `identifiers: ${name}`,
    phases: ['layer 2'],
    events: ds.flatMap((d, index) => repository(d, index + name.length)),
    expected: { exit: 0 },
  }
}

describeMatrix('texts', [
  {
    name: 'control characters in a CLOSED',
    phases: LAYERS,
    scripts: 'source',
    asTable: true,
    arm: ({ source, isIn }, phase) => {
      source.script.behaviour.closeReq = (filter) => (isIn(phase, filter) ? `error: ${HOSTILE}` : undefined)
    },
    expected: { exit: 3, says: ESCAPED },
  },
  {
    name: 'control characters in a NOTICE',
    phases: ['layer 2'],
    scripts: 'source',
    asTable: true,
    arm: ({ source }) => {
      source.script.behaviour.outgoing = (frame) => (frame[0] === 'EOSE' ? [['NOTICE', HOSTILE], frame] : [frame])
    },
    expected: { exit: 0, says: ESCAPED },
  },
  {
    name: 'control characters in an OK',
    phases: ['publishing'],
    scripts: 'target',
    asTable: true,
    arm: ({ target }) => {
      target.script.behaviour.onEvent = () => ({ ok: false, text: `error: ${HOSTILE}` })
    },
    expected: { exit: 3, says: ESCAPED },
  },
  {
    name: 'control characters in a NEG-ERR',
    phases: ['layer 2'],
    modes: ['reconcile'],
    asTable: true,
    arm: ({ source }) => void (source.script.behaviour.onNegOpen = () => ({ error: `blocked: ${HOSTILE}` })),
    expected: { exit: 0 },
  },
  {
    name: 'control characters in the NIP-11 document',
    phases: ['connecting to the target'],
    scripts: 'both',
    asTable: true,
    arm: ({ source, target }) => {
      for (const { script } of [source, target])
        script.behaviour.document = { name: HOSTILE, software: HOSTILE, version: HOSTILE, supported_grasps: [HOSTILE] }
    },
    args: ['--scope', 'all'],
    expected: { exit: 0, says: ESCAPED },
  },
  {
    name: 'control characters in ids and subscriptions',
    phases: ['layer 2'],
    scripts: 'both',
    asTable: true,
    arm: ({ source, target }) => {
      for (const { script } of [source, target])
        script.behaviour.outgoing = (frame) => [
          ['OK', HOSTILE, false, HOSTILE],
          ['EVENT', HOSTILE, { id: HOSTILE }],
          ['CLOSED', HOSTILE, HOSTILE],
          [HOSTILE],
          frame,
        ]
    },
    expected: { exit: 0 },
  },
  identifiers('colons, slashes, spaces, emoji', [
    'a:b:c',
    '::',
    'a/b',
    '../../etc/passwd',
    'two words ',
    '🦀👩‍🚀',
    '%2F',
    '$(id)',
  ]),
  identifiers('900 characters', ['x'.repeat(900)]),
  // The real relay takes no tag value beyond 1,024.
  { ...identifiers('1,000 and 5,000 characters', ['x'.repeat(1_000), 'y'.repeat(5_000)]), scripts: 'both' },
  identifiers('empty', ['']),
  identifiers('control characters', ['a\u0000b', 'line\nbreak', '\u001b[2J', '\u202e']),
])
