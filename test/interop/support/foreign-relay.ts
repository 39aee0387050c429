import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { onTestFinished } from 'vitest'
import type { NostrEvent } from '../../../src/nostr/event.ts'
import { FOREIGN_COMMANDS, type ForeignOptions } from './foreign-commands.ts'
import type { PlainRelayName } from './recipes.ts'
import { publishAll, readEverything } from './plain-client.ts'
import { findFreePort, startRelayProcess } from './relay-process.ts'

/** A relay that no one here wrote, in a process of its own, with its events on disk. */
export type ForeignRelay = {
  readonly name: PlainRelayName
  readonly url: string
  /** Everything that it serves, oldest first; read without `src`. */
  events(): Promise<NostrEvent[]>
  /** Publishes these events, in this order, and throws when one is not taken. */
  seed(events: readonly NostrEvent[]): Promise<void>
  /** Publishes these events, in this order; it takes what it likes. */
  offer(events: readonly NostrEvent[]): Promise<void>
  stop(): Promise<void>
  /** Starts it again on the same port and storage; stops it first when it runs. */
  restart(options?: ForeignOptions): Promise<void>
}

/** Starts a relay that ends with the test, and with it its storage. */
export async function startForeign(name: PlainRelayName, options: ForeignOptions = {}): Promise<ForeignRelay> {
  const directory = mkdtempSync(join(tmpdir(), `${name}-`))
  const port = await findFreePort()
  const url = `ws://127.0.0.1:${port}`
  const launch = (settings: ForeignOptions): ReturnType<typeof startRelayProcess> => {
    mkdirSync(join(directory, 'storage'), { recursive: true })
    const command = FOREIGN_COMMANDS[name]({ port, directory, options: settings })
    return startRelayProcess({ ...command, cwd: directory, logFile: join(directory, 'relay.log'), url })
  }
  let running = await launch(options)
  onTestFinished(async () => {
    await running.kill()
    rmSync(directory, { recursive: true, force: true })
  })
  return {
    name,
    url,
    events: () => readEverything(url),
    async seed(events) {
      const refused = (await publishAll(url, events)).filter(
        ([label, , accepted]) => label !== 'OK' || accepted !== true,
      )
      if (refused.length > 0) throw new Error(`${url} refuses ${refused.length} events: ${JSON.stringify(refused[0])}`)
    },
    offer: async (events) => void (await publishAll(url, events)),
    stop: () => running.stop(),
    async restart(settings = options) {
      await running.stop()
      running = await launch(settings)
    },
  }
}
