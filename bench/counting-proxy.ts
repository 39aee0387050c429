import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** A TCP proxy that counts what passes, both ways together, as it is on the wire: compressed, with frames and HTTP. */
export type CountingProxy = {
  readonly url: string
  /** Bytes since the last call, or since the start. */
  takeBytes(): number
  /** New connections go to this `ws://` URL from now on. */
  forward(upstream: string): void
  close(): Promise<void>
}

/** Starts a proxy on loopback to a `ws://` URL on loopback. */
export async function startCountingProxy(upstream: string): Promise<CountingProxy> {
  let port = Number(new URL(upstream).port)
  let bytes = 0
  const sockets = new Set<Socket>()
  const pass = (from: Socket, to: Socket): void => {
    sockets.add(from.setNoDelay(true))
    from.on('data', (chunk: Buffer) => (bytes += chunk.length)).pipe(to)
    // An error of one side is followed by its close, and either close ends both.
    from.on('error', () => undefined)
    from.once('close', () => {
      sockets.delete(from)
      to.destroySoon()
    })
  }
  const server = createServer((client) => {
    const relay = connect(port, '127.0.0.1')
    pass(client, relay)
    pass(relay, client)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    takeBytes() {
      const taken = bytes
      bytes = 0
      return taken
    },
    forward: (to) => void (port = Number(new URL(to).port)),
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
