import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'

import { onTestFinished } from 'vitest'

import { GIT_ENVIRONMENT, refsOf, runGit, type GitRepository } from './git-repository.ts'

/** What was asked for, in the order of arrival. */
export type GitRequest = {
  readonly path: string
  readonly command: 'info/refs' | 'ls-refs' | 'fetch' | 'receive-pack' | 'other'
}

/** A state as git servers of GRASP relays compare it: every head and tag, and what HEAD stands for. */
export type SignedRefs = { readonly refs: ReadonlyMap<string, string>; readonly head?: string }

/** The choices of a server. */
export type GitServerOptions = {
  /** Whether objects that no ref points to may be asked for: what protocol v0 obeys, and v2 does not. @default true */
  readonly anyObject?: boolean
  /** @default 2 */
  readonly protocol?: 0 | 2
  /** The port of a relay on loopback that answers all that is not git, as at a GRASP relay. */
  readonly relayPort?: number
  /** What the relay is told of where a connection comes from, as a proxy before it does. @default nothing */
  readonly forwardedFor?: () => string
  /** What git and the hooks of repositories find in their environment besides. */
  readonly environment?: Readonly<Record<string, string>>
  /** Called before it answers. */
  readonly onRequest?: (asked: GitRequest) => void
}

/** A git server of smart HTTP on loopback with real repositories (`git http-backend`); it ends with the test. */
export type GitServer = {
  readonly port: number
  /** Without a slash at the end. */
  readonly url: string
  /** The directory of all its repositories. */
  readonly root: string
  /** The URL of a repository: `<url>/<npub>/<identifier>.git`. */
  urlOf(npub: string, identifier: string): string
  /** Its bare repository on disk. */
  directoryOf(npub: string, identifier: string): string
  /** Creates a repository that takes no push; with the heads and tags of `from`, or only these refs of it. */
  host(npub: string, identifier: string, from?: GitRepository, refs?: ReadonlyMap<string, string>): Promise<void>
  /** From now on it takes pushes after which heads and tags equal this exactly, and any `refs/nostr/<id>`. */
  accept(npub: string, identifier: string, state: SignedRefs): void
  /** From now on it takes any push. */
  acceptAll(npub: string, identifier: string): void
  /** The heads, tags and `refs/nostr/` that it has. */
  refsOf(npub: string, identifier: string): Promise<ReadonlyMap<string, string>>
  readonly requests: readonly GitRequest[]
  count(command: GitRequest['command']): number
  /** Refuses connections until `start`, which opens the same port again. */
  stop(): Promise<void>
  start(): Promise<void>
}

/** Exact equality, as ngit-grasp demands it of a push: after it heads and tags are those of the state. */
const PRE_RECEIVE = `#!/bin/sh
[ -f ngit-open ] && exit 0
[ -f ngit-state ] || { echo "no state event in purgatory" >&2; exit 1; }
updates=$(cat)
echo "$updates" | grep -vE '^[0-9a-f]+ [0-9a-f]+ refs/(heads|tags)/' | grep -qvE ' refs/nostr/[0-9a-f]{64}$' && {
  echo "only refs/heads, refs/tags and refs/nostr/<event id> may be pushed" >&2; exit 1; }
echo "$updates" | grep -qE ' refs/(heads|tags)/' || exit 0
{ git for-each-ref --format='%(refname) %(objectname)' refs/heads refs/tags
  echo "$updates" | awk '$3 ~ /^refs\\/(heads|tags)\\// { print $3, $2 }'
} | awk '{ id[$1] = $2 } END { for (ref in id) if (id[ref] !~ /^0+$/) print ref, id[ref] }' | LC_ALL=C sort > ngit-after
cmp -s ngit-after ngit-state || { echo "refs differ from the state event" >&2; exit 1; }
`
const POST_RECEIVE = `#!/bin/sh
[ -f ngit-head ] && git symbolic-ref HEAD "$(cat ngit-head)"
exit 0
`

/** Starts a server without repositories. */
export async function startGitServer(options: GitServerOptions = {}): Promise<GitServer> {
  const root = mkdtempSync(join(tmpdir(), 'ngit-sync-git-server-'))
  const backend = join(await runGit('/', '--exec-path'), 'git-http-backend')
  const requests: GitRequest[] = []
  const sockets = new Set<Socket>()
  const server = createServer((request, response) => {
    if (!isOfGit(request) && options.relayPort !== undefined) return passOn(request, response, options.relayPort)
    serve(request, response, {
      backend,
      root,
      options,
      note: (asked) => {
        requests.push(asked)
        options.onRequest?.(asked)
      },
    })
  })
  server.on('connection', (socket) => sockets.add(socket.once('close', () => sockets.delete(socket))))
  server.on('upgrade', (request, socket, head) => tunnel(request, socket, { head, options }))
  const listen = (port: number): Promise<void> =>
    new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve))
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      for (const socket of sockets) socket.destroy()
    })
  await listen(0)
  onTestFinished(async () => {
    await stop()
    rmSync(root, { recursive: true, force: true })
  })
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}`
  const directoryOf = (npub: string, identifier: string): string => join(root, npub, `${identifier}.git`)
  return {
    port,
    url,
    root,
    urlOf: (npub, identifier) => `${url}/${npub}/${encodeURIComponent(identifier)}.git`,
    directoryOf,
    host: (npub, identifier, from, refs) => host(directoryOf(npub, identifier), { from, refs, ...options }),
    accept(npub, identifier, { refs, head }) {
      const lines = [...refs].map(([ref, id]) => `${ref} ${id}\n`).sort((a, b) => (a < b ? -1 : 1))
      writeFileSync(join(directoryOf(npub, identifier), 'ngit-state'), lines.join(''))
      if (head !== undefined) writeFileSync(join(directoryOf(npub, identifier), 'ngit-head'), head)
    },
    acceptAll: (npub, identifier) => writeFileSync(join(directoryOf(npub, identifier), 'ngit-open'), ''),
    refsOf: (npub, identifier) => refsOf(directoryOf(npub, identifier), 'refs/heads', 'refs/tags', 'refs/nostr'),
    requests,
    count: (command) => requests.filter((request) => request.command === command).length,
    stop,
    start: () => listen(port),
  }
}

type Hosting = GitServerOptions & {
  readonly from: GitRepository | undefined
  readonly refs: ReadonlyMap<string, string> | undefined
}

async function host(directory: string, { from, refs, anyObject = true }: Hosting): Promise<void> {
  mkdirSync(directory, { recursive: true })
  const format = from === undefined ? 'sha1' : await from.git('rev-parse', '--show-object-format')
  await runGit(directory, 'init', '--quiet', '--bare', '--initial-branch', 'main', `--object-format=${format}`)
  await runGit(directory, 'config', 'http.receivepack', 'true')
  await runGit(directory, 'config', 'uploadpack.allowAnySHA1InWant', String(anyObject))
  writeFileSync(join(directory, 'hooks', 'pre-receive'), PRE_RECEIVE, { mode: 0o755 })
  writeFileSync(join(directory, 'hooks', 'post-receive'), POST_RECEIVE, { mode: 0o755 })
  if (from === undefined) return
  const wanted = [...(refs ?? (await from.refs()))].map(([ref, id]) => `+${id}:${ref}`)
  if (wanted.length > 0) await runGit(directory, 'fetch', '--quiet', '--no-tags', from.directory, ...wanted)
}

type Backend = {
  readonly backend: string
  readonly root: string
  readonly options: GitServerOptions
  readonly note: (request: GitRequest) => void
}

function isOfGit({ url = '' }: IncomingMessage): boolean {
  return /\.git(\/|$|\?)/.test(url)
}

function serve(request: IncomingMessage, response: ServerResponse, { backend, root, options, note }: Backend): void {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
  const protocol = options.protocol === 0 ? undefined : request.headers['git-protocol']
  const cgi = spawn(backend, {
    env: {
      ...GIT_ENVIRONMENT,
      PATH: process.env['PATH'],
      ...options.environment,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: decodeURIComponent(pathname),
      QUERY_STRING: searchParams.toString(),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      ...(typeof protocol === 'string' ? { GIT_PROTOCOL: protocol } : {}),
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  if (request.method === 'GET') note({ path: pathname, command: commandOf(pathname, '') })
  else request.once('data', (first: Buffer) => note({ path: pathname, command: commandOf(pathname, first.toString()) }))
  request.pipe(cgi.stdin.on('error', () => undefined))
  response.on('close', () => cgi.kill())
  answer(cgi.stdout, response)
}

function commandOf(path: string, body: string): GitRequest['command'] {
  if (path.endsWith('/info/refs')) return 'info/refs'
  if (path.endsWith('/git-receive-pack')) return 'receive-pack'
  if (!path.endsWith('/git-upload-pack')) return 'other'
  // A long request arrives compressed; only fetches are that long.
  return body.includes('command=ls-refs') ? 'ls-refs' : 'fetch'
}

/** Reads the head of a CGI answer, then passes on its body. */
function answer(from: NodeJS.ReadableStream, response: ServerResponse): void {
  let head = Buffer.alloc(0)
  const gather = (chunk: Buffer): void => {
    head = Buffer.concat([head, chunk])
    const end = head.indexOf('\r\n\r\n')
    if (end < 0) return
    from.off('data', gather)
    for (const line of head.subarray(0, end).toString().split('\r\n')) {
      const [, name = '', value = ''] = /^([^:]+): *(.*)$/.exec(line) ?? []
      if (name === 'Status') response.statusCode = Number.parseInt(value)
      else response.setHeader(name, value)
    }
    response.write(head.subarray(end + 4))
    from.pipe(response)
  }
  from.on('data', gather)
  from.on('end', () => response.end())
}

function passOn(request: IncomingMessage, response: ServerResponse, port: number): void {
  const { method, url, headers } = request
  const passed = forward({ host: '127.0.0.1', port, method, path: url, headers }, (answered) => {
    response.writeHead(answered.statusCode ?? 502, answered.headers)
    answered.pipe(response)
  })
  request.pipe(passed.on('error', () => response.destroy()))
}

function tunnel(
  request: IncomingMessage,
  socket: Duplex,
  { head, options: { relayPort, forwardedFor } }: { head: Buffer; options: GitServerOptions },
): void {
  if (relayPort === undefined) return void socket.destroy()
  const relay = connect(relayPort, '127.0.0.1', () => {
    const sent = request.rawHeaders.flatMap((name, at, all) => (at % 2 === 0 ? [`${name}: ${all[at + 1]}`] : []))
    const headers = forwardedFor === undefined ? sent : [...sent, `X-Forwarded-For: ${forwardedFor()}`]
    relay.write(`${request.method} ${request.url} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`)
    relay.write(head)
    relay.pipe(socket).pipe(relay)
  })
  relay.on('error', () => socket.destroy())
  relay.on('close', () => socket.destroy())
  socket.on('error', () => relay.destroy())
  socket.on('close', () => relay.destroy())
}
