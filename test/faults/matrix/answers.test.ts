import type { EventDecision } from '../../support/scripted-behaviour.ts'
import type { Expected, Fault } from './fault.ts'
import { describeMatrix } from './run-matrix.ts'

const complete: Expected = { exit: 0 }
const partial = (says: RegExp): Expected => ({ exit: 3, says })

/** What the target does with the events that it is sent, from the fourth on: some must get through before. */
function decides(decide: () => EventDecision): Fault['arm'] {
  return ({ target }) => {
    let received = 0
    target.script.behaviour.onEvent = () => ((received += 1) > 3 ? decide() : 'default')
  }
}

/** What goes out in the place of each OK. */
function says(change: (ok: readonly unknown[]) => readonly (readonly unknown[])[]): Fault['arm'] {
  return ({ target }) => {
    target.script.behaviour.outgoing = (frame) => (frame[0] === 'OK' ? change(frame) : [frame])
  }
}

/** A fault in the answers to EVENT. */
function answer(name: string, expected: Expected, arm: Fault['arm'], more: Partial<Fault> = {}): Fault {
  return { name, phases: ['publishing'], scripts: 'target', expected, arm, ...more }
}

const STRANGER = 'f'.repeat(64)

describeMatrix('answers of the target', [
  answer(
    'OK for an unknown id',
    complete,
    says(([label, , ...rest]) => [[label, STRANGER, ...rest]]),
    { waits: true },
  ),
  answer(
    'OK for an unknown id besides',
    complete,
    says((ok) => [['OK', STRANGER, true, ''], ok]),
  ),
  answer(
    'OK twice',
    complete,
    says((ok) => [ok, ok]),
  ),
  answer(
    'OK, then not',
    complete,
    says((ok) => [ok, ['OK', ok[1], false, 'error: no, wait']]),
  ),
  answer(
    'OK without a text',
    complete,
    says(([label, id, accepted]) => [[label, id, accepted]]),
  ),
  answer(
    'OK with a text of a megabyte',
    complete,
    says(([label, id, ok]) => [[label, id, ok, 'x'.repeat(2 ** 20)]]),
  ),
  answer(
    'OK that is no boolean',
    complete,
    says(([label, id]) => [[label, id, 'true', '']]),
    { waits: true },
  ),
  answer(
    'OK never, though it stores',
    complete,
    decides(() => ({ store: true })),
    { waits: true },
  ),
  answer(
    'OK never',
    partial(/no OK within 700 ms/),
    decides(() => 'silent'),
    { waits: true },
  ),
  answer(
    'OK late, after the deadline',
    complete,
    decides(() => ({ ok: true, delayMs: 1_500 })),
    { waits: true },
  ),
  answer(
    'a NOTICE in place of the OK',
    partial(/invalid: too long/),
    ({ target }) => {
      target.script.behaviour.onEvent = () => ({ ok: true, store: false })
      target.script.behaviour.outgoing = (frame) => (frame[0] === 'OK' ? [['NOTICE', 'invalid: too long']] : [frame])
    },
    { waits: true },
  ),
  answer(
    'accepts and does not store',
    partial(/OK, but it is not served/),
    decides(() => ({ ok: true, store: false })),
    {
      laterSeconds: 40 * 60,
    },
  ),
  answer(
    'stores and says that it does not',
    partial(/error: database error/),
    decides(() => ({ ok: false, text: 'error: database error', store: true })),
  ),
  answer(
    'is full',
    partial(/error: no space left on device/),
    decides(() => ({ ok: false, text: 'error: no space left on device' })),
  ),
  answer(
    'has an unknown reason',
    partial(/go away/),
    decides(() => ({ ok: false, text: 'go away' })),
  ),
  answer(
    'wants us to be a member',
    { exit: 1, says: /restricted: you are not a member/ },
    decides(() => ({ ok: false, text: 'restricted: you are not a member' })),
  ),
  answer(
    'wants NIP-42',
    { exit: 1, says: /auth-required: who are you/ },
    decides(() => ({ ok: false, text: 'auth-required: who are you' })),
  ),
  answer('is rate-limited for a while', complete, ({ target }) => {
    let left = 3
    target.script.behaviour.onEvent = () =>
      (left -= 1) >= 0 ? { ok: false, text: 'rate-limited: slow down' } : 'default'
  }),
  answer(
    'cuts the connection at each event',
    partial(/connection closed|disconnected/),
    decides(() => 'drop-connection'),
  ),
  answer(
    'cuts the connection after each OK',
    complete,
    decides(() => ({ ok: true, store: true, drop: true })),
  ),
  {
    name: 'goes away while it is sent to, and comes back',
    phases: ['publishing', 'asking the target', 'verifying'],
    modes: ['paging'],
    retries: 8,
    arm: ({ onPhase, target }, phase) => {
      let hasGone = false
      onPhase(phase, () => {
        if (!hasGone) void target.real.kill().then(() => target.real.restart())
        hasGone = true
        return undefined
      })
    },
    expected: complete,
  },
])
