import { expect } from 'vitest'

import type { Behaviour } from '../../support/scripted-behaviour.ts'
import type { Expected, Fault, Phase } from './fault.ts'
import { describeMatrix } from './run-matrix.ts'
import { HISTORY } from './scene.ts'

const PHASES: readonly [Phase, ...Phase[]] = ['layer 2', 'asking the target']

/** Whatever breaks a comparison, pages read what it would have read. */
const complete: Expected = { exit: 0 }

/** Changes the messages of the relay; `turn` counts those of all sessions from 1. */
function messages(change: (hex: string, turn: number) => string | undefined): Fault['arm'] {
  return ({ endOf }, phase) => {
    let turn = 0
    endOf(phase).script.behaviour.outgoing = (frame) => {
      if (frame[0] !== 'NEG-MSG') return [frame]
      const hex = change(String(frame[2]), (turn += 1))
      return hex === undefined ? [] : [['NEG-MSG', frame[1], hex]]
    }
  }
}

function behaves(behaviour: Behaviour): Fault['arm'] {
  return ({ endOf }, phase) => void Object.assign(endOf(phase).script.behaviour, behaviour)
}

function neg(name: string, arm: Fault['arm'], more: Partial<Fault> = {}): Fault {
  const check: Fault['check'] = ({ endOf }, phase) => expect(endOf(phase).script.received.negs).not.toEqual([])
  return { name, phases: PHASES, modes: ['reconcile'], expected: complete, arm, check, ...more }
}

/** A message of version 0x61 that says of the whole range: it has this fingerprint. */
const otherEveryTime = (turn: number): string => `61000001${turn.toString(16).padStart(32, '0')}`
const hidden = HISTORY.filter(({ kind }) => kind === 1111).slice(-2)

describeMatrix('NIP-77', [
  neg(
    'NEG-MSG that is no hex',
    messages(() => 'not hex'),
    { waits: true },
  ),
  neg(
    'NEG-MSG of odd length',
    messages((hex) => hex.slice(1)),
    { waits: true },
  ),
  neg(
    'empty NEG-MSG',
    messages(() => ''),
  ),
  neg(
    'truncated NEG-MSG',
    messages((hex) => hex.slice(0, Math.max(4, (hex.length >> 2) * 2))),
  ),
  neg(
    'random NEG-MSG',
    messages((_, turn) => `61${(turn * 0x9e3779b97f4a7c15).toString(16).padStart(40, '7').slice(0, 40)}`),
  ),
  neg(
    'NEG-MSG of another version',
    messages((hex) => `62${hex.slice(2)}`),
  ),
  neg(
    'NEG-MSG that only names its version',
    messages(() => '62'),
  ),
  neg(
    'a broken second NEG-MSG',
    messages((hex, turn) => (turn === 1 ? hex : '61ff')),
  ),
  neg(
    'silence after the first NEG-MSG',
    messages((hex, turn) => (turn === 1 ? hex : undefined)),
    { waits: true },
  ),
  neg('silence', behaves({ onNegOpen: () => 'silent' }), { waits: true }),
  neg(
    'endless rounds',
    messages((_, turn) => otherEveryTime(turn)),
  ),
  neg(
    'the same answer for ever',
    messages(() => otherEveryTime(7)),
  ),
  neg(
    'trailing bytes',
    messages((hex) => `${hex}00`),
  ),
  neg('NEG-ERR blocked', behaves({ onNegOpen: () => ({ error: 'blocked: not for you' }) })),
  neg('NEG-ERR closed', behaves({ onNegOpen: () => ({ error: 'closed: too slow' }) })),
  neg('NEG-ERR with a cap of 3', behaves({ negentropyMax: 3 })),
  neg('NEG-ERR with a cap of 0', behaves({ negentropyMax: 0 })),
  neg('NOTICE in place of NEG-MSG', behaves({ onNegOpen: () => ({ notice: 'unknown envelope' }) })),
  neg('announced in NIP-11, and not there', behaves({ negentropy: false, document: { supported_nips: [1, 77] } })),
  {
    name: 'lists ids that it does not serve',
    phases: ['layer 3'],
    modes: ['reconcile'],
    arm: ({ source }) => {
      source.script.behaviour.hides = (event) => hidden.includes(event)
    },
    expected: { exit: 3, says: /listed by NIP-77 but not served/ },
  },
  {
    name: 'drops the connection at each NEG-OPEN',
    phases: PHASES,
    modes: ['reconcile'],
    arm: ({ endOf }, phase) =>
      endOf(phase).proxy.onFrame(([label]) => (label === 'NEG-OPEN' ? { type: 'drop' } : undefined)),
    expected: complete,
  },
])
