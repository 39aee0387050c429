import { spawnSync } from 'node:child_process'
import { closeSync, cpSync, mkdirSync, openSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'

import { waitFor } from '../test/support/wait-for.ts'
import { startCommand } from './measure-command.ts'
import type { PeerRelay } from './peer-relays.ts'

/** A strfry database with its configuration. */
export type StrfryStore = { readonly directory: string; readonly config: string; readonly port: number }

/** Makes a database of the events in a JSONL file, without checking signatures; an empty one without a file. */
export async function createStrfryStore(strfry: string, directory: string, file?: string): Promise<StrfryStore> {
  const store = await configure(directory)
  if (file === undefined) return store
  const input = openSync(file, 'r')
  try {
    run(strfry, [`--config=${store.config}`, 'import', '--no-verify'], input)
  } finally {
    closeSync(input)
  }
  return store
}

/** A copy of a database that no process writes to. */
export async function copyStrfryStore(store: StrfryStore, directory: string): Promise<StrfryStore> {
  cpSync(store.directory, directory, { recursive: true })
  return configure(directory)
}

/** How many events a database holds; a relay may run on it. */
export function countStrfryStore(strfry: string, { config }: StrfryStore): number {
  return Number(run(strfry, [`--config=${config}`, 'scan', '--count', '{}']).trim())
}

/** Starts the relay of a database; resolves when it answers. */
export async function startStrfry(strfry: string, store: StrfryStore): Promise<PeerRelay> {
  const child = startCommand(strfry, [`--config=${store.config}`, 'relay'])
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  let log = ''
  child.stdout.resume()
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log = (log + text).slice(-2_000)))
  const answers = async (): Promise<boolean> => {
    if (child.exitCode !== null) throw new Error(`strfry relay ended with ${child.exitCode}: ${log}`)
    return fetch(`http://127.0.0.1:${store.port}`).then(
      () => true,
      () => false,
    )
  }
  await waitFor(answers, { timeoutMs: 20_000, everyMs: 50, what: 'strfry to listen' })
  return {
    url: `ws://127.0.0.1:${store.port}`,
    count: async () => countStrfryStore(strfry, store),
    close: async () => {
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** What `--version` says, such as `strfry 1.1.1`. */
export function strfryVersion(strfry: string): string {
  return /^strfry .+$/m.exec(run(strfry, ['--version']))?.[0] ?? 'strfry'
}

/** Its own defaults but for the place of the data, the port, and a limit of open files that needs no root. */
async function configure(directory: string): Promise<StrfryStore> {
  const [config, port] = [join(directory, 'strfry.conf'), await freePort()]
  mkdirSync(join(directory, 'db'), { recursive: true })
  writeFileSync(config, `db = "${directory}/db/"\nrelay { bind = "127.0.0.1"\n port = ${port}\n nofiles = 0 }\n`)
  return { directory, config, port }
}

function run(strfry: string, args: readonly string[], input: number | 'ignore' = 'ignore'): string {
  const { status, stdout, stderr } = spawnSync(strfry, args, { encoding: 'utf8', stdio: [input, 'pipe', 'pipe'] })
  if (status !== 0) throw new Error(`${strfry} ${args.join(' ')} ended with ${status}: ${stderr}`)
  return stdout
}

/** A port of 127.0.0.1 that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise<void>((resolve) => server.close(() => resolve()))
  return port
}
