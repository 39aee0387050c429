import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

import { createFrameSplitter, type Piece } from './websocket-frames.ts'

/**
 * What a network does to a connection. `refuse`: nothing listens, open connections are reset; `drop`: cut, and new ones
 * as soon as they are made; `stall`: open and silent both ways; `drip`: what the relay sends arrives in drops; `cut`:
 * after so many more bytes of the relay; `cut-in-frame`: after half of its next frame.
 */
export type NetworkFault =
  | { readonly type: 'refuse' | 'drop' | 'stall' | 'cut-in-frame' }
  | { readonly type: 'drip'; readonly bytes: number; readonly everyMs: number }
  | { readonly type: 'cut'; readonly afterBytes: number }

/** Who sent a frame. */
export type Sender = 'client' | 'relay'

/** Hears every message before it passes; a fault that it returns holds for that connection from this message on. */
export type Trigger = (frame: readonly unknown[], from: Sender) => NetworkFault | undefined

/** A TCP proxy in front of a relay. It understands just enough of WebSocket to strike at a message. */
export type TcpProxy = {
  readonly url: string
  readonly port: number
  /** What happens to every connection from now on, those that are open included. */
  strike(fault: NetworkFault): void
  /** Replaces the trigger; may be called at any time. */
  onFrame(trigger: Trigger | undefined): void
  /** No trigger and no fault: new connections pass. */
  heal(): Promise<void>
  /** TCP connections so far that became WebSockets. */
  countConnections(): number
  close(): Promise<void>
}

type Switchboard = { fault: NetworkFault | undefined; trigger: Trigger | undefined; connections: number }

const HOST = '127.0.0.1'

/** Starts a proxy to a `ws://` URL on loopback; everything passes until a fault strikes. */
export async function startTcpProxy(upstream: string): Promise<TcpProxy> {
  const board: Switchboard = { fault: undefined, trigger: undefined, connections: 0 }
  const wires = new Set<Wire>()
  const server = createServer((client) => {
    const wire = new Wire(client, Number(new URL(upstream).port), board)
    wires.add(wire)
    client.once('close', () => wires.delete(wire))
  })
  const port = await listen(server, 0)
  const cutAll = (): void => wires.forEach((wire) => wire.cut())
  return {
    url: `ws://${HOST}:${port}`,
    port,
    strike(fault) {
      board.fault = fault
      if (fault.type === 'refuse') server.close()
      if (fault.type === 'refuse' || fault.type === 'drop') cutAll()
    },
    onFrame: (trigger) => void (board.trigger = trigger),
    async heal() {
      board.fault = undefined
      board.trigger = undefined
      cutAll()
      if (!server.listening) await listen(server, port)
    },
    countConnections: () => board.connections,
    async close() {
      cutAll()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

/** One connection and its way to the relay. */
class Wire {
  readonly #client: Socket
  readonly #relay: Socket
  readonly #board: Switchboard
  #fault: NetworkFault | undefined
  #bytesLeft = Infinity
  #isCut = false
  #dripping: Buffer = Buffer.alloc(0)
  #drops: NodeJS.Timeout | undefined

  constructor(client: Socket, port: number, board: Switchboard) {
    this.#client = client.setNoDelay(true)
    this.#relay = connect(port, HOST).setNoDelay(true)
    this.#board = board
    if (board.fault?.type === 'drop') {
      this.cut()
      return
    }
    if (board.fault?.type === 'cut') this.#bytesLeft = board.fault.afterBytes
    this.#pipe('client', client, createFrameSplitter(isUpgradeRequest))
    this.#pipe(
      'relay',
      this.#relay,
      createFrameSplitter((head) => this.#noteUpgrade(head)),
    )
  }

  /** Ends the connection on both sides once what was written is out. */
  cut(): void {
    if (this.#isCut) return
    this.#isCut = true
    clearInterval(this.#drops)
    this.#client.destroySoon()
    this.#relay.destroy()
  }

  #pipe(from: Sender, socket: Socket, splitter: ReturnType<typeof createFrameSplitter>): void {
    socket.on('data', (chunk: Buffer) => {
      for (const piece of splitter.push(chunk)) this.#pass(piece, from)
    })
    // An error of one side is followed by its close, and either close ends both.
    socket.on('error', () => undefined)
    socket.once('close', () => this.#closeAfter(from))
  }

  #noteUpgrade(head: string): boolean {
    const isUpgraded = /^HTTP\/1\.1 101 /.test(head)
    if (isUpgraded) this.#board.connections += 1
    return isUpgraded
  }

  /** A stalled connection tells nobody that its other end is gone. */
  #closeAfter(from: Sender): void {
    if (from === 'relay' && this.#inForce()?.type === 'stall') return
    this.cut()
  }

  #inForce(): NetworkFault | undefined {
    return this.#fault ?? this.#board.fault
  }

  #pass({ bytes, frame }: Piece, from: Sender): void {
    if (this.#isCut) return
    this.#hear(frame, from)
    const fault = this.#inForce()
    if (fault?.type === 'stall') return
    if (fault?.type === 'refuse' || fault?.type === 'drop') return this.cut()
    if (from === 'client') return void this.#relay.write(bytes)
    this.#passToClient(bytes, fault)
  }

  #hear(frame: Piece['frame'], from: Sender): void {
    const fault = frame === undefined ? undefined : this.#board.trigger?.(frame, from)
    if (fault === undefined) return
    this.#fault = fault
    if (fault.type === 'cut') this.#bytesLeft = fault.afterBytes
  }

  #passToClient(bytes: Buffer, fault: NetworkFault | undefined): void {
    if (fault?.type === 'drip') return this.#drip(bytes, fault)
    const limit = fault?.type === 'cut-in-frame' ? Math.ceil(bytes.length / 2) : this.#bytesLeft
    this.#client.write(bytes.subarray(0, Math.min(bytes.length, limit)))
    this.#bytesLeft -= bytes.length
    if (fault?.type === 'cut-in-frame' || this.#bytesLeft <= 0) this.cut()
  }

  #drip(bytes: Buffer, drip: Extract<NetworkFault, { type: 'drip' }>): void {
    this.#dripping = Buffer.concat([this.#dripping, bytes])
    this.#drops ??= setInterval(() => {
      this.#client.write(this.#dripping.subarray(0, drip.bytes))
      this.#dripping = this.#dripping.subarray(drip.bytes)
    }, drip.everyMs)
  }
}

function isUpgradeRequest(head: string): boolean {
  return /^upgrade: *websocket/im.test(head)
}

async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, HOST, resolve))
  return (server.address() as AddressInfo).port
}
