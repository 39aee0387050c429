import { describe, expect, it } from 'vitest'

import type { NegentropyAnswer, NegentropySession } from '../../src/relay/negentropy/negentropy-session.ts'
import { NegentropySupport } from '../../src/relay/negentropy/negentropy-support.ts'
import { RemoteResponder } from '../../src/relay/negentropy/remote-responder.ts'
import { createFromSession } from '../support/test-responders.ts'

const msg: NegentropyAnswer = { type: 'msg', hex: '61', bytes: 20 }
const dropped: NegentropyAnswer = { type: 'error', reason: 'CLOSED' }

/** Sessions that give these answers, one list each; and how many were opened and closed. */
function scriptSessions(...sessions: readonly (readonly NegentropyAnswer[])[]) {
  const count = { opened: 0, closed: 0 }
  const open = (): NegentropySession => {
    const answers = [...(sessions[count.opened] ?? [])]
    count.opened += 1
    return {
      send: async () => answers.shift() ?? { type: 'disconnected', reason: 'no answer left' },
      close: () => (count.closed += 1),
    }
  }
  return { open, count }
}

describe('RemoteResponder', () => {
  it('opens one session and keeps it', async () => {
    const { open, count } = scriptSessions([msg, msg])
    const responder = createFromSession(open)
    await responder.ask([])
    expect(await responder.ask([])).toEqual({ type: 'ranges', ranges: [] })
    responder.close()
    expect(count).toEqual({ opened: 1, closed: 1 })
  })

  it('goes on in a new session when the relay dropped it', async () => {
    const { open, count } = scriptSessions([msg, dropped], [msg])
    const responder = createFromSession(open)
    await responder.ask([])
    expect(await responder.ask([])).toEqual({ type: 'ranges', ranges: [] })
    expect(count.opened).toBe(2)
  })

  it('gives up when the new session does not answer either', async () => {
    const { open } = scriptSessions([msg, dropped], [{ type: 'disconnected', reason: 'gone' }])
    const responder = createFromSession(open)
    await responder.ask([])
    expect(await responder.ask([])).toEqual({ type: 'failed', kind: 'lost', reason: 'gone' })
  })

  it.each([
    [{ type: 'refused', reason: 'unknown envelope label' }, { kind: 'refused' }],
    [{ type: 'error', reason: 'blocked: no sync' }, { kind: 'refused' }],
    [
      { type: 'error', reason: 'blocked: too many query results', cap: 7 },
      { kind: 'too-many', cap: 7 },
    ],
    [{ type: 'error', reason: 'blocked: too many query results' }, { kind: 'too-many' }],
    [{ type: 'error', reason: 'too many concurrent NEG requests' }, { kind: 'refused' }],
    [{ type: 'idle' }, { kind: 'refused', reason: 'no answer to NEG-OPEN within 5 s' }],
    [
      { type: 'disconnected', reason: 'gone' },
      { kind: 'lost', reason: 'gone' },
    ],
  ] as const)('takes %j for %j', async (answer, failure) => {
    const responder = createFromSession(scriptSessions([answer]).open)
    expect(await responder.ask([])).toMatchObject({ type: 'failed', ...failure })
  })

  it('leaves room for the filter in a frame of the relay', () => {
    const support = new NegentropySupport()
    const { open } = scriptSessions()
    const filter = { '#e': ['a'.repeat(10_000)] }
    const room = (maxFrameBytes: number) =>
      new RemoteResponder({ filter, open, support, maxFrameBytes }).maxMessageBytes
    expect(room(1_000_000)).toBe(30_000)
    expect(room(30_000)).toBeLessThan(10_000)
    expect(room(10_000)).toBeGreaterThan(0)
  })
})

describe('NegentropySupport', () => {
  const refused: NegentropyAnswer = { type: 'refused', reason: 'no such label' }
  const answerWith = (answer: NegentropyAnswer) => async (): Promise<NegentropyAnswer> => answer

  it('lets the first session try, and the others wait for what comes of it', async () => {
    const support = new NegentropySupport()
    const answers: ((answer: NegentropyAnswer) => void)[] = []
    const open = (): Promise<NegentropyAnswer> => new Promise((resolve) => answers.push(resolve))
    const all = [support.firstAnswer(open), support.firstAnswer(open), support.firstAnswer(open)]
    answers[0]?.(refused)
    expect(await Promise.all(all)).toEqual([refused, refused, refused])
    expect(answers).toHaveLength(1)
    expect(support.refusal).toBe('no such label')
  })

  it('lets all others in when the first was answered, without a deadline', async () => {
    const support = new NegentropySupport(50)
    const deadlines: unknown[] = []
    const open = async (deadline?: number): Promise<NegentropyAnswer> => {
      deadlines.push(deadline)
      return msg
    }
    await Promise.all([support.firstAnswer(open), support.firstAnswer(open)])
    expect(deadlines).toEqual([50, undefined])
  })

  it('tries again after auth-required', async () => {
    const support = new NegentropySupport()
    await support.firstAnswer(answerWith({ type: 'error', reason: 'auth-required: who are you' }))
    expect(support.refusal).toBeUndefined()
    expect(await support.firstAnswer(answerWith(msg))).toEqual(msg)
  })

  it('takes a cap for NIP-77', async () => {
    const support = new NegentropySupport()
    await support.firstAnswer(answerWith({ type: 'error', reason: 'blocked: too many query results' }))
    expect(await support.firstAnswer(answerWith(refused))).toEqual(refused)
    expect(support.refusal).toBeUndefined()
  })

  it('refuses at once what was refused before', async () => {
    const support = new NegentropySupport()
    support.refuse('it lies')
    expect(await support.firstAnswer(answerWith(msg))).toEqual({ type: 'refused', reason: 'it lies' })
  })
})
