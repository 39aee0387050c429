import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { onTestFinished } from 'vitest'
import { WebSocket } from 'ws'

import type { NostrEvent } from '../../../src/nostr/event.ts'
import { connectTiny } from '../../support/tiny-client.ts'
import { waitFor } from '../../support/wait-for.ts'
import { FOREIGN_COMMANDS, type ForeignOptions } from './foreign-commands.ts'
import type { RelayName } from './recipes.ts'
import { findFreePort, startRelayProcess } from './relay-process.ts'

/** A relay that no one here wrote, in a process of its own, with its events on disk. */
export type ForeignRelay = {
  readonly name: RelayName
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
export async function startForeign(name: RelayName, options: ForeignOptions = {}): Promise<ForeignRelay> {
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

/**
 * Pages without any cleverness: the next page begins one second above the oldest row, so that it overlaps the last one
 * whether `until` is inclusive at this relay or not.
 */
async function readEverything(url: string): Promise<NostrEvent[]> {
  const client = await connectTiny(url)
  const found = new Map<string, NostrEvent>()
  for (let until: number | undefined, before = -1; before !== found.size;) {
    before = found.size
    const page = await client.query({ since: 1, limit: 250, ...(until === undefined ? {} : { until }) })
    for (const event of page) found.set(event.id, event)
    until = Math.min(...page.map((event) => event.created_at), until ?? Infinity) + 1
  }
  client.close()
  return [...found.values()].sort((a, b) => a.created_at - b.created_at)
}

/** Sends every event at once and counts the answers: some relays leave out the id in a refusal, or say it by NOTICE. */
async function publishAll(url: string, events: readonly NostrEvent[]): Promise<unknown[][]> {
  const socket = new WebSocket(url)
  const answers: unknown[][] = []
  socket.on('message', (frame) => {
    const message = JSON.parse(String(frame)) as unknown[]
    if (message[0] === 'OK' || message[0] === 'NOTICE') answers.push(message)
  })
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  for (const event of events) socket.send(JSON.stringify(['EVENT', event]))
  await waitFor(() => answers.length >= events.length, {
    timeoutMs: 60_000,
    what: `${events.length} answers of ${url}`,
  })
  socket.terminate()
  return answers
}
