import { createServer, type AddressInfo } from 'node:net'

import { describe, expect, it, onTestFinished } from 'vitest'

import type { NostrEvent } from '../../src/nostr/event.ts'
import { generateHistory } from '../support/generate.ts'
import { startTcpProxy, type Trigger } from '../support/tcp-proxy.ts'
import { createWorkbench, idsOf, type Workbench } from '../support/workbench.ts'

/*
 * Reconnection within a run. How long the pauses are is in test/relay/backoff.test.ts, what is repeated on which
 * connection in test/relay/requests.test.ts and publications.test.ts; the timeouts are in the matrix.
 */

const history = [...generateHistory({ repositories: 2, rootsPerRepository: 3 })]

async function startRelay(bench: Workbench, events: readonly NostrEvent[] = []) {
  const relay = await bench.real({ events })
  const proxy = await startTcpProxy(relay.url)
  onTestFinished(() => proxy.close())
  return { relay, proxy, url: proxy.url }
}

/**
 * Cuts the connection in place of every so many answers with this label, three times: `--retries` forgives that of any
 * REQ.
 */
function cutAtEach(label: string, nth: number): Trigger {
  let [count, cuts] = [0, 0]
  return (frame, from) => {
    if (from !== 'relay' || frame[0] !== label || cuts === 3) return undefined
    count += 1
    if (count % nth !== 0) return undefined
    cuts += 1
    return { type: 'drop' }
  }
}

/** A server that hangs up on every handshake. */
async function startUnwilling() {
  let dials = 0
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', (head) => {
      if (/^upgrade: websocket/im.test(head.toString())) dials += 1
      socket.destroy()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`, countDials: () => dials }
}

describe('a lost connection', () => {
  it.each([
    ['source', 'rows', 'EVENT', 20],
    ['source', 'the end of a page', 'EOSE', 3],
    ['target', 'the OK to what it has stored', 'OK', 7],
    ['target', 'the proof', 'EOSE', 3],
  ] as const)(
    'of the %s, three times, in place of %s: what was open is asked and sent again, and counted once',
    async (which, _what, label, nth) => {
      const bench = createWorkbench()
      const [source, target] = await Promise.all([startRelay(bench, history), startRelay(bench)])
      const { proxy } = { source, target }[which]
      proxy.onFrame(cutAtEach(label, nth))
      const { code, report } = await bench.catchup(source, target)
      expect([code, idsOf(target.relay.events())]).toEqual([0, idsOf(history)])
      expect(proxy.countConnections()).toBe(4)
      const { unique, published, parked } = report.totals
      expect({ unique, published, parked }).toEqual({ unique: history.length, published: history.length, parked: 0 })
    },
  )
})

describe('a relay that stays away', () => {
  it('ends its part of the run, not the run', async () => {
    const bench = createWorkbench()
    const half = history.slice(0, history.length / 2)
    const [lost, healthy, target] = await Promise.all([history, half, []].map((events) => startRelay(bench, events)))
    if (lost === undefined || healthy === undefined || target === undefined) throw new Error('three relays')
    lost.proxy.onFrame(([label]) => {
      if (label !== 'EOSE') return undefined
      lost.proxy.strike({ type: 'refuse' })
      return { type: 'refuse' }
    })
    const { code, report } = await bench.catchup([lost, healthy], target)
    expect([code, report.sources.map(({ complete }) => complete)]).toEqual([3, [false, true]])
    expect(report.problems.map(({ what, where }) => `${what} ${where}`)).toContain(`source ${lost.url}`)
    expect(idsOf(half).filter((id) => !idsOf(target.relay.events()).includes(id))).toEqual([])
    expect(bench.checkpoints(lost)).toEqual([])
  })

  it.each([0, 1, 3])('is dialled once, and again as often as --retries %i says', async (retries) => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([startUnwilling(), startRelay(bench)])
    const { code } = await bench.catchup(source, target, '--retries', String(retries))
    expect([code, source.countDials()]).toEqual([3, retries + 1])
  })
})
