import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

import { createFrameSplitter, type FrameSplitter } from '../test/support/websocket-frames.ts'
import { OpenQuestions } from './open-questions.ts'

/** A TCP proxy that is far away, and counts what the client asks. */
export type DelayingProxy = {
  readonly url: string
  /** Since the last call, or since the start. */
  takeCounts(): ProxyCounts
  close(): Promise<void>
}

/** Bytes both ways, as on the wire; questions are REQs and NEG-OPENs, as the client sees them. */
export type ProxyCounts = { readonly bytes: number; readonly questions: number; readonly mostInFlight: number }

/** How far away. */
export type Distance = {
  readonly roundTripMs: number
  /** Each way, of all connections together. @default Infinity */
  readonly bytesPerSecond?: number
}

/**
 * Starts a proxy on loopback to a `ws://` URL on loopback. Each chunk arrives half of the round trip later, in order;
 * the handshake of TCP itself is not delayed.
 */
export async function startDelayingProxy(upstream: string, distance: Distance): Promise<DelayingProxy> {
  const port = Number(new URL(upstream).port)
  const sockets = new Set<Socket>()
  const questions = new OpenQuestions()
  const [there, back] = [new Way(distance), new Way(distance)]
  let bytes = 0
  const server = createServer((client) => {
    const relay = connect(port, '127.0.0.1')
    for (const socket of [client, relay]) sockets.add(socket.setNoDelay(true))
    const [asked, answered] = [splitFrames(), splitFrames()]
    client.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      for (const { frame } of asked.push(chunk)) questions.hear(client, frame)
      there.pass(chunk.length, () => relay.write(chunk))
    })
    relay.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      back.pass(chunk.length, () => {
        for (const { frame } of answered.push(chunk)) questions.hear(client, frame)
        client.write(chunk)
      })
    })
    endTogether(client, relay, there)
    endTogether(relay, client, back)
    client.once('close', () => questions.drop(client))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    takeCounts() {
      const counts = { bytes, ...questions.take() }
      bytes = 0
      return counts
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

/** One direction: everything leaves it in the order in which it came. */
class Way {
  readonly #halfMs: number
  readonly #bytesPerMs: number
  readonly #queue: { readonly dueMs: number; readonly arrive: () => void }[] = []
  #freeMs = 0
  #timer: NodeJS.Timeout | undefined

  constructor({ roundTripMs, bytesPerSecond = Infinity }: Distance) {
    this.#halfMs = roundTripMs / 2
    this.#bytesPerMs = bytesPerSecond / 1000
  }

  pass(bytes: number, arrive: () => void): void {
    this.#freeMs = Math.max(this.#freeMs, performance.now()) + bytes / this.#bytesPerMs
    this.#queue.push({ dueMs: this.#freeMs + this.#halfMs, arrive })
    this.#wait()
  }

  #wait(): void {
    const [first] = this.#queue
    if (first === undefined || this.#timer !== undefined) return
    this.#timer = setTimeout(() => this.#arrive(), Math.max(0, first.dueMs - performance.now()))
  }

  #arrive(): void {
    this.#timer = undefined
    const nowMs = performance.now()
    const later = this.#queue.findIndex(({ dueMs }) => dueMs > nowMs)
    for (const { arrive } of this.#queue.splice(0, later === -1 ? Infinity : later)) arrive()
    this.#wait()
  }
}

/** The other side hears of an end after everything that was sent before it. */
function endTogether(from: Socket, to: Socket, way: Way): void {
  // An error of one side is followed by its close.
  from.on('error', () => undefined)
  from.once('close', () => way.pass(0, () => to.destroySoon()))
}

function splitFrames(): FrameSplitter {
  return createFrameSplitter((head) => /^upgrade: *websocket/im.test(head))
}
