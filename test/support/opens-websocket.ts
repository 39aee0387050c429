import { WebSocket } from 'ws'

/** Whether a WebSocket to this URL opens; it is closed again. */
export function opensWebSocket(url: string): Promise<boolean> {
  const socket = new WebSocket(url)
  return new Promise((resolve) => {
    socket.once('error', () => resolve(false))
    socket.once('open', () => {
      socket.close()
      resolve(true)
    })
  })
}
