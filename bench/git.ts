/**
 * `npm run bench -- git [--repositories 1000] [--refs 10]`: how long `check --git` takes over many small repositories on
 * loopback, at the target and at one other server, and how many requests and bytes. The git servers answer from memory.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { npubEncode } from 'nostr-tools/nip19'

import { announcement, SOME_TIME } from '../test/support/builders.ts'
import { keyOf, signEvent } from '../test/support/sign.ts'
import { giveFigures } from './figures.ts'
import { measureProgram, startRelayProcess } from './run-program.ts'

const { values } = parseArgs({
  options: { repositories: { type: 'string', default: '1000' }, refs: { type: 'string', default: '10' } },
})
const [repositories, refs] = [Number(values.repositories), Number(values.refs)]
const SERVICE = 'wss://grasp.bench.example'
const owner = keyOf('owner')
const npub = npubEncode(owner.pubkey)
const ids = Array.from({ length: refs }, (_, n) => `${n + 1}`.padStart(40, 'a'))
const names = ids.map((_, n) => (n === 0 ? 'refs/heads/main' : `refs/tags/v${n}`))
const REFS = packets([
  `${ids[0] ?? ''} HEAD symref-target:refs/heads/main`,
  ...names.map((name, at) => `${ids[at] ?? ''} ${name}`),
])
const CAPABILITIES = packets(['version 2', 'agent=git/2.39', 'ls-refs=unborn', 'object-format=sha1'])

const directory = mkdtempSync(join(tmpdir(), 'ngit-sync-git-bench-'))
const other = await serveGit(undefined)
const file = join(directory, 'events.jsonl')
writeFileSync(file, [...eventsOf(other.url)].map((event) => `${JSON.stringify(event)}\n`).join(''))
const relays = await Promise.all([1, 2].map(() => startRelayProcess(['--file', file, '--software', 'ngit-grasp'])))
const [source, relay] = [relays[0]?.url ?? '', relays[1]?.url ?? '']
const front = await serveGit(Number(new URL(relay).port))
try {
  const ends = ['--source', source, '--target', front.url.replace('http', 'ws'), '--service', SERVICE]
  const plain = await measureProgram(['check', ...ends])
  const measured = await measureProgram(['check', '--git', '--git-allow', 'private', ...ends])
  const { git } = measured.report
  if (git === null || git.inSync !== repositories) throw new Error(`not in sync: ${JSON.stringify(git)}`)
  const { requests, bytes, milliseconds } = git
  print('check', `${plain.report.durationMs} ms`)
  print('check --git', `${measured.report.durationMs} ms, of which ${milliseconds} ms for git data`)
  print(
    'git servers',
    `${requests} requests, ${bytes} bytes, for ${repositories} repositories of ${refs} refs at two URLs`,
  )
  giveFigures({ repositories, refs, checkMs: plain.report.durationMs, gitMs: milliseconds, requests, bytes })
} finally {
  await Promise.all(relays.map((each) => each.close()))
  rmSync(directory, { recursive: true, force: true })
}
process.exit()

function* eventsOf(elsewhere: string) {
  for (let n = 0; n < repositories; n += 1) {
    const [d, createdAt] = [`repository-${n}`, SOME_TIME + n]
    const clone = [`${SERVICE.replace('wss', 'https')}/${npub}/${d}.git`, `${elsewhere}/${npub}/${d}.git`]
    yield announcement(owner, d, { createdAt, clone, relays: [SERVICE] })
    const tags = [['d', d], ...names.map((name, at) => [name, ids[at] ?? '']), ['HEAD', 'ref: refs/heads/main']]
    yield signEvent(owner, { kind: 30_618, created_at: createdAt, tags, content: '' })
  }
}

/** A git server from memory; what is not git goes to the relay at this port, as at a GRASP relay. */
async function serveGit(relayPort: number | undefined): Promise<{ readonly url: string }> {
  const server = createServer((request, response) => void answerGit(request, response))
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    const on = connect(relayPort ?? 0, '127.0.0.1')
    const headers = request.rawHeaders.map((text, at) => (at % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join('')
    on.write(`GET ${request.url ?? '/'} HTTP/1.1\r\n${headers}\r\n`)
    on.write(head)
    on.on('error', () => socket.destroy())
    socket.on('error', () => on.destroy())
    on.pipe(socket).pipe(on)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }

  async function answerGit(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? ''
    if (!path.includes('.git/')) {
      const asked = await fetch(`http://127.0.0.1:${relayPort}`, { headers: { accept: request.headers.accept ?? '' } })
      response.setHeader('content-type', asked.headers.get('content-type') ?? '').end(await asked.text())
      return
    }
    const isList = request.method === 'POST'
    response.setHeader('content-type', `application/x-git-upload-pack-${isList ? 'result' : 'advertisement'}`)
    response.end(isList ? REFS : CAPABILITIES)
  }
}

function packets(lines: readonly string[]): string {
  return lines.map((line) => `${(line.length + 5).toString(16).padStart(4, '0')}${line}\n`).join('') + '0000'
}

function print(label: string, text: string): void {
  process.stdout.write(`${label.padEnd(14)} ${text}\n`)
}
