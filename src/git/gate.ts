/** Lets through as many at a time as a machine and a host can bear; the others wait in order. */
export type Gate = {
  /** Runs this once there is room for it; `perHost` counts those of the same host. */
  run<T>(host: string, perHost: number, work: () => Promise<T>): Promise<T>
}

/** Creates a gate for `atOnce` at a time. */
export function createGate(atOnce: number): Gate {
  const running = new Map<string, number>()
  const waiting: { readonly host: string; readonly perHost: number; readonly enter: () => void }[] = []
  let busy = 0
  const hasRoom = (host: string, perHost: number): boolean => busy < atOnce && (running.get(host) ?? 0) < perHost
  const enter = (host: string): void => {
    busy += 1
    running.set(host, (running.get(host) ?? 0) + 1)
  }
  const leave = (host: string): void => {
    busy -= 1
    const left = (running.get(host) ?? 1) - 1
    if (left === 0) running.delete(host)
    else running.set(host, left)
    const next = waiting.findIndex((one) => hasRoom(one.host, one.perHost))
    if (next >= 0) waiting.splice(next, 1)[0]?.enter()
  }
  return {
    async run(host, perHost, work) {
      if (hasRoom(host, perHost)) enter(host)
      else {
        await new Promise<void>((resolve) =>
          waiting.push({
            host,
            perHost,
            enter: () => {
              enter(host)
              resolve()
            },
          }),
        )
      }
      try {
        return await work()
      } finally {
        leave(host)
      }
    },
  }
}
