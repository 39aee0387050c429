import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

import { npubEncode } from 'nostr-tools/nip19'
import { onTestFinished } from 'vitest'

import type { NostrEvent } from '../../../src/nostr/event.ts'
import type { GitRemedy } from '../../../src/report/git-report.ts'
import { startGitServer, type GitServer } from '../../support/git-server.ts'
import { keyOf, type Key } from '../../support/sign.ts'
import { directoryOf } from './installation.ts'
import { publishAll, readEverything } from './plain-client.ts'
import { startRelayProcess } from './relay-process.ts'

/** ngit-relay on loopback, as its image has it: relay and git at one port, its own hooks, data on disk. */
export type NgitRelay = {
  readonly url: string
  /** What stands for its nginx: git's HTTP server, with its repositories. */
  readonly git: GitServer
  /** What announcements name in `clone` and `relays` to be taken. */
  readonly service: { clone(owner: Key, d: string): string; readonly relay: string }
  /** Everything that it serves, oldest first; read without `src`. */
  events(): Promise<NostrEvent[]>
  /** Publishes these events in this order; returns its answers. */
  offer(events: readonly NostrEvent[]): Promise<unknown[][]>
  /** Runs what a report tells its operator to run, with the paths and the user of this one; rejects when that fails. */
  operate(remedy: GitRemedy | undefined): Promise<void>
}

const run = promisify(execFile)

/** Its programs listen and dial here, whatever they are told. */
const PORT = 3334
const OPERATOR = keyOf('operator')

/** What may be chosen of one. */
export type NgitRelayOptions = {
  /**
   * Whether its hooks may write into their HOME, which they need to tidy up after a push; the user of nginx in its image
   * may not. @default false
   */
  readonly mayTidy?: boolean
  /** Whether it may fetch git data itself, a second after an announcement. @default false */
  readonly mayFetch?: boolean
  /** How long each git takes that it starts: five of them make a repository. @default 0 */
  readonly gitSeconds?: number
}

/** Starts one that ends with the test; there can be only one at a time. */
export async function startNgitRelay(options: NgitRelayOptions = {}): Promise<NgitRelay> {
  const { mayTidy = false, mayFetch = false, gitSeconds = 0 } = options
  if (await isTaken(PORT)) throw new Error(`ngit-relay listens at port ${PORT}, and somebody else does so already`)
  const directory = mkdtempSync(join(tmpdir(), 'ngit-relay-'))
  const [logs, home] = [join(directory, 'logs'), join(directory, 'home')]
  for (const path of [logs, home]) mkdirSync(path)
  const ofHooks = homeAt(mayTidy ? home : join(directory, 'nowhere'))
  if (!mayFetch) writeFileSync(join(home, '.gitconfig'), '[http]\n\tproxy = http://127.0.0.1:1\n')
  let visitors = 0
  const git = await startGitServer({
    relayPort: PORT,
    // It takes 15 events from an address, and then one a minute: each connection is somebody else.
    forwardedFor: () => `192.0.2.${(visitors += 1) % 256}`,
    environment: { ...ofHooks, NGIT_LOG_DIR: logs },
  })
  const host = `127.0.0.1:${git.port}`
  const running = await startRelayProcess({
    program: binaryOf('khatru'),
    args: [
      '-relay-data-dir',
      join(directory, 'db'),
      '-git-data-dir',
      git.root,
      '-blossom-data-dir',
      join(directory, 'b'),
    ],
    env: { ...homeAt(home), ...configuration(host), NGIT_LOG_DIR: logs, PATH: withImage(directory, gitSeconds) },
    cwd: directory,
    logFile: join(directory, 'relay.log'),
    url: `ws://127.0.0.1:${PORT}`,
  })
  onTestFinished(async () => {
    await running.kill()
    rmSync(directory, { recursive: true, force: true })
  })
  const url = `ws://${host}`
  return {
    url,
    git,
    service: { clone: ({ pubkey }, d) => git.urlOf(npubEncode(pubkey), d), relay: url },
    events: () => readEverything(url),
    offer: (events) => publishAll(url, events),
    async operate(remedy) {
      if (remedy?.type !== 'operator') throw new Error(`the report has no command: ${JSON.stringify(remedy)}`)
      const command = remedy.command
        .replaceAll('/srv/ngit-relay/repos', git.root)
        .replaceAll('/usr/local/bin/ngit-relay-', binaryOf(''))
        .replaceAll('nginx:nginx', `${process.getuid?.()}:${process.getgid?.()}`)
      await run('sh', ['-ec', command], { env: { ...homeAt(directory), PATH: process.env['PATH'] } })
    },
  }
}

function configuration(host: string): Record<string, string> {
  return {
    NGIT_DOMAIN: host,
    NGIT_OWNER_NPUB: npubEncode(OPERATOR.pubkey),
    NGIT_RELAY_NAME: 'ngit-relay',
    NGIT_RELAY_DESCRIPTION: 'for tests',
  }
}

/**
 * A home of its own. Its programs run `git config --global`: with `/dev/null` as configuration, root would replace the
 * device by a file.
 */
function homeAt(directory: string): Record<string, string> {
  return { HOME: directory, GIT_CONFIG_GLOBAL: join(directory, '.gitconfig'), GIT_CONFIG_NOSYSTEM: '1' }
}

/**
 * Stands for its image: it gives each new repository to the user `nginx`, and links it to hooks in `/usr/local/bin`.
 * Here `chown` links it to the hooks that were built.
 */
function withImage(directory: string, gitSeconds: number): string {
  const bin = join(directory, 'bin')
  mkdirSync(bin)
  const links = ['pre-receive', 'post-receive'].map((hook) => `ln -sf '${binaryOf(hook)}' "$3/hooks/${hook}"`)
  writeFileSync(join(bin, 'chown'), `#!/bin/sh -e\n${links.join('\n')}\n`, { mode: 0o755 })
  const slowly = `#!/bin/sh -e\nsleep ${gitSeconds}\nPATH='${process.env['PATH']}' exec git "$@"\n`
  if (gitSeconds > 0) writeFileSync(join(bin, 'git'), slowly, { mode: 0o755 })
  return `${bin}${delimiter}${process.env['PATH'] ?? ''}`
}

function binaryOf(part: string): string {
  return join(directoryOf('ngit-relay'), 'bin', `ngit-relay-${part}`)
}

function isTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('error', () => resolve(false))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}
