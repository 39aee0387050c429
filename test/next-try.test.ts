import { describe, expect, it } from 'vitest'

import { parkedWait } from '../src/checkpoint/next-try.ts'
import type { SpooledEvent } from '../src/store/spooled-event.ts'
import { issue } from './support/builders.ts'
import { keyOf } from './support/sign.ts'

const NOW = 1_000_000
const MINUTE = 60

function parked(changes: Partial<SpooledEvent>): SpooledEvent {
  return {
    event: issue(`30617:${'a'.repeat(64)}:x`, keyOf('author')),
    size: 0,
    layer: 'threads',
    state: 'parked',
    outcome: 'unanswered',
    reason: '',
    isOrphan: false,
    isLate: false,
    errorRuns: 0,
    parkedAt: NOW - 10,
    settledAt: undefined,
    lastOkAt: undefined,
    retryAt: undefined,
    attempts: 1,
    software: undefined,
    obstacle: undefined,
    repository: undefined,
    ...changes,
  }
}

const waits = (changes: Partial<SpooledEvent>): boolean => parkedWait(parked(changes), { now: NOW }) !== undefined

describe('parkedWait', () => {
  it.each([
    ['had no answer', { outcome: 'unanswered' }, false],
    ['met an error', { outcome: 'waiting', errorRuns: 2 }, false],
    ['has no parent at the target', { outcome: 'waiting', isOrphan: true }, true],
    ['is not taken before a time to come', { outcome: 'waiting', retryAt: NOW + 1 }, true],
    ['is not taken before a time that has come', { outcome: 'waiting', retryAt: NOW }, false],
    ['got its last OK 34 minutes ago and is not served', { outcome: 'pending', lastOkAt: NOW - 34 * MINUTE }, true],
    ['got its last OK 35 minutes ago and is not served', { outcome: 'pending', lastOkAt: NOW - 35 * MINUTE }, false],
    ['is pending since nobody knows when', { outcome: 'pending' }, false],
    ['had no answer after an OK a minute ago', { outcome: 'unanswered', lastOkAt: NOW - MINUTE }, false],
  ] as const)('an event that %s', (_, changes, isWaiting) => expect(waits(changes)).toBe(isWaiting))
})
