import { once } from 'node:events'
import { setImmediate as nextTurn } from 'node:timers/promises'

import { expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'

import { Traffic } from '../../src/relay/pace/traffic.ts'
import { Connection } from '../../src/relay/socket/connection.ts'
import { startScriptedRelay } from '../support/scripted-relay.ts'
import { waitFor } from '../support/wait-for.ts'

const LISTENER = {
  onNotice: () => undefined,
  onIgnored: () => undefined,
  onLate: () => undefined,
  onUnasked: () => undefined,
  onLost: () => undefined,
}

it('hands over what is sent in one turn of the event loop in one write', async () => {
  const relay = await startScriptedRelay()
  onTestFinished(() => relay.close())
  const socket = new WebSocket(relay.url)
  type Upgrade = [{ readonly socket: { cork(): void; uncork(): void } }]
  const [[{ socket: stream }]] = await Promise.all([once(socket, 'upgrade') as Promise<Upgrade>, once(socket, 'open')])
  const calls: string[] = []
  const note = (name: 'cork' | 'uncork') => (): void => {
    calls.push(name)
    stream[name]()
  }
  const counting = { cork: note('cork'), uncork: note('uncork') }
  const { signal } = new AbortController()
  const traffic = new Traffic({ nowMs: () => performance.now(), signal, silenceMs: 1, patienceMs: 1 })
  const connection = new Connection({ socket, stream: counting }, LISTENER, traffic)
  onTestFinished(() => connection.close())
  for (const id of ['a', 'b', 'c']) connection.send(['CLOSE', id])
  expect([calls, relay.received.closes]).toEqual([['cork'], []])
  await nextTurn()
  expect(calls).toEqual(['cork', 'uncork'])
  await waitFor(() => relay.received.closes.length === 3, { timeoutMs: 5_000, what: 'three frames' })
  connection.send(['CLOSE', 'd'])
  expect(calls).toEqual(['cork', 'uncork', 'cork'])
})
