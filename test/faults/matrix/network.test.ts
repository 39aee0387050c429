import type { Expected, Phase } from './fault.ts'
import { describeMatrix } from './run-matrix.ts'
import { isAtSource } from './stage.ts'

const READING: readonly Phase[] = ['layer 1', 'layer 2', 'layer 3']
const TARGET: readonly Phase[] = ['asking the target', 'publishing', 'verifying', 'checkpointing']

/** Partial, whoever is lost; failed when the target cannot be reached at all; complete when all was proved before. */
function lost(says: RegExp, connecting = says): (phase: Phase) => Expected {
  return (phase) => {
    if (phase === 'checkpointing') return { exit: 0 }
    if (phase === 'connecting to the target') return { exit: 1, says: connecting }
    return { exit: 3, says: isAtSource(phase) && phase === 'connecting' ? connecting : says }
  }
}

describeMatrix('the network', [
  {
    name: 'refuses every connection',
    phases: ['connecting', 'connecting to the target'],
    arm: ({ strike }, phase) => strike(phase, { type: 'refuse' }),
    expected: lost(/ECONNREFUSED/),
  },
  {
    name: 'disconnects, again each time',
    phases: ['publishing', 'connecting', 'connecting to the target', ...READING, ...TARGET],
    arm: ({ strike }, phase) => strike(phase, { type: 'drop' }),
    expected: lost(/disconnected|connection closed|hang up/),
  },
  {
    name: 'goes away and stays away',
    phases: ['layer 3', 'layer 1', 'layer 2', ...TARGET],
    arm: ({ onPhase, endOf }, phase) =>
      onPhase(phase, () => {
        endOf(phase).proxy.strike({ type: 'refuse' })
        return { type: 'refuse' }
      }),
    expected: lost(/ECONNREFUSED|ECONNRESET|connection closed/),
  },
  {
    name: 'stalls: open, and silent',
    phases: ['verifying', 'connecting', 'connecting to the target', ...READING, ...TARGET],
    waits: true,
    arm: ({ strike }, phase) => strike(phase, { type: 'stall' }),
    expected: lost(/(?:idle|no answer within) 0\.7 s|no OK within 700 ms/, /no connection within 700 ms/),
  },
  {
    name: 'drips, slower than the timeouts allow',
    phases: ['layer 2', 'connecting', 'connecting to the target', 'layer 1', 'layer 3', ...TARGET],
    waits: true,
    arm: ({ strike }, phase) => strike(phase, { type: 'drip', bytes: 1, everyMs: 100 }),
    expected: lost(/(?:idle|no answer within) 0\.7 s|no OK within 700 ms/, /no connection within 700 ms/),
  },
  {
    name: 'is slow, but delivers',
    phases: ['layer 2', 'layer 1', 'layer 3', ...TARGET],
    arm: ({ strike }, phase) => strike(phase, { type: 'drip', bytes: 150, everyMs: 5 }),
    expected: { exit: 0 },
  },
  {
    name: 'cuts after N bytes',
    phases: ['asking the target', 'connecting', 'connecting to the target', ...READING, ...TARGET],
    arm: ({ strike }, phase) => strike(phase, { type: 'cut', afterBytes: 8 }),
    expected: lost(/disconnected|connection closed/, /hang up|Parse Error/),
  },
  {
    name: 'cuts in the middle of a frame',
    phases: ['layer 1', 'connecting', 'connecting to the target', 'layer 2', 'layer 3', ...TARGET],
    arm: ({ strike }, phase) => strike(phase, { type: 'cut-in-frame' }),
    expected: lost(/disconnected|connection closed/, /hang up|Parse Error/),
  },
  {
    name: 'comes back after a moment',
    phases: ['publishing', ...READING, ...TARGET],
    arm: ({ onPhase }, phase) => {
      let left = 1
      onPhase(phase, () => ((left -= 1) < 0 ? undefined : { type: 'drop' }))
    },
    expected: { exit: 0 },
  },
])
