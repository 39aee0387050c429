import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

import { onTestFinished } from 'vitest'

/** What a server says to one request. */
export type GitAnswer = (response: ServerResponse, request: IncomingMessage) => void

/** Answers to the requests of a listing and of a fetch; `push` is its listing for pushes. */
export type GitAnswers = {
  /** @default the capabilities of protocol v2 */
  readonly info?: GitAnswer
  /** @default one branch `main` */
  readonly list?: GitAnswer
  /** @default 500 */
  readonly fetch?: GitAnswer
  /** @default 403 */
  readonly push?: GitAnswer
}

/** A double of a git server that misbehaves on demand; it ends with the test. */
export type HostileGitServer = {
  /** The URL of a repository; every path has the same. */
  readonly url: string
  /** Paths and queries asked for, in order. */
  readonly asked: readonly string[]
}

const SOME_COMMIT = '1234567890abcdef1234567890abcdef12345678'

/** Starts a double that answers like this. */
export async function startHostileGitServer(answers: GitAnswers = {}): Promise<HostileGitServer> {
  const asked: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((request, response) => {
    const { url = '' } = request
    asked.push(url)
    response.on('error', () => response.destroy())
    if (url.endsWith('service=git-receive-pack')) return (answers.push ?? status(403))(response, request)
    if (url.includes('/info/refs')) return (answers.info ?? capabilities())(response, request)
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString('latin1')))
    request.on('end', () => {
      const isListing = body.includes('command=ls-refs')
      const answer = isListing ? (answers.list ?? refs([`${SOME_COMMIT} refs/heads/main`])) : answers.fetch
      ;(answer ?? status(500))(response, request)
    })
  })
  server.on('connection', (socket) => sockets.add(socket.once('close', () => sockets.delete(socket))))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/npub1mallory/hostile.git`, asked }
}

/** One line of git's protocol. */
export function packet(text: string | Buffer): Buffer {
  const bytes = Buffer.from(text)
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, '0')), bytes])
}

const FLUSH = Buffer.from('0000')
const ADVERTISEMENT = 'application/x-git-upload-pack-advertisement'
const RESULT = 'application/x-git-upload-pack-result'

/** Answers with a status, a text and headers. */
export function status(code: number, text = 'no', headers: Record<string, string> = {}): GitAnswer {
  return (response) => response.writeHead(code, { 'content-type': 'text/plain', ...headers }).end(text)
}

/** Sends the client to another address. */
export function redirect(to: string): GitAnswer {
  return status(302, '', { location: to })
}

/** A page as a proxy or a parked domain shows it. */
export const htmlPage: GitAnswer = status(200, '<html>welcome</html>', { 'content-type': 'text/html' })

/** Never answers. */
export const silence: GitAnswer = () => undefined

/** The advertisement of protocol v2, in this object format. */
export function capabilities(format = 'sha1'): GitAnswer {
  const lines = ['version 2\n', 'agent=hostile\n', 'ls-refs=unborn\n', 'fetch=shallow\n', `object-format=${format}\n`]
  const body = Buffer.concat([packet('# service=git-upload-pack\n'), FLUSH, ...lines.map(packet), FLUSH])
  return (response) => response.writeHead(200, { 'content-type': ADVERTISEMENT }).end(body)
}

/** The advertisement of protocol v0 with these lines (`<id> <ref>`). */
export function oldListing(lines: readonly string[], capabilityList = ''): GitAnswer {
  const [first = '', ...rest] = lines
  const packets = [packet(`${first}\0${capabilityList}\n`), ...rest.map((line) => packet(`${line}\n`))]
  const body = Buffer.concat([packet('# service=git-upload-pack\n'), FLUSH, ...packets, FLUSH])
  return (response) => response.writeHead(200, { 'content-type': ADVERTISEMENT }).end(body)
}

/** An answer to `ls-refs` of these lines (`<id> <ref>[ symref-target:…]`). */
export function refs(lines: readonly string[]): GitAnswer {
  return result(Buffer.concat([...lines.map((line) => packet(`${line}\n`)), FLUSH]))
}

/** A listing of `main` at this commit. */
export function listingOf(commit: string): GitAnswer {
  return refs([`${commit} HEAD symref-target:refs/heads/main`, `${commit} refs/heads/main`])
}

/** An answer to `ls-refs` or `fetch` of these bytes. */
export function result(body: Buffer): GitAnswer {
  return (response) => response.writeHead(200, { 'content-type': RESULT }).end(body)
}

/** Refs without end. */
export const endlessRefs: GitAnswer = (response) => {
  response.writeHead(200, { 'content-type': RESULT })
  const some = (from: number): Buffer[] => Array.from({ length: 1_000 }, (_, at) => from * 1_000 + at).map(lineOf)
  const lineOf = (at: number): Buffer => packet(`${SOME_COMMIT} refs/heads/branch-${at}\n`)
  pour(response, (at) => Buffer.concat(some(at)))
}

/** One byte of a listing every 20 ms. */
export const slowDrip: GitAnswer = (response) => {
  response.writeHead(200, { 'content-type': RESULT })
  const line = packet(`${SOME_COMMIT} refs/heads/main\n`)
  let at = 0
  const timer = setInterval(() => response.write(line.subarray(at % line.length, (at++ % line.length) + 1)), 20)
  response.on('close', () => clearInterval(timer))
}

/** A pack of one object that never ends: stored blocks of a blob of 2^40 bytes. */
export const endlessPack: GitAnswer = (response) => {
  beginEndlessPack(response)
  pour(response, () => sideband(STORED_BLOCK))
}

/** The same, 32 KiB every 10 ms. */
export const slowEndlessPack: GitAnswer = (response) => {
  beginEndlessPack(response)
  const timer = setInterval(() => response.write(sideband(STORED_BLOCK)), 10)
  response.on('close', () => clearInterval(timer))
}

const STORED_BLOCK = Buffer.concat([Buffer.from([0, 0x00, 0x80, 0xff, 0x7f]), Buffer.alloc(0x8000, 'x')])

function beginEndlessPack(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': RESULT })
  // "PACK", version 2, one object; a blob whose size takes six bytes; the head of a zlib stream.
  const size = Buffer.from([0xb0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10])
  const head = Buffer.concat([Buffer.from('PACK\0\0\0\x02\0\0\0\x01', 'latin1'), size, Buffer.from([0x78, 0x01])])
  response.write(packet('packfile\n'))
  response.write(sideband(head))
}

/** A pack whose object is no zlib stream. */
export const corruptPack: GitAnswer = result(
  Buffer.concat([
    packet('packfile\n'),
    sideband(Buffer.from(`PACK\0\0\0\x02\0\0\0\x01\x95${'garbage'.repeat(10)}`, 'latin1')),
    FLUSH,
  ]),
)

function sideband(bytes: Buffer): Buffer {
  return packet(Buffer.concat([Buffer.from([1]), bytes]))
}

function pour(response: ServerResponse, next: (at: number) => Buffer): void {
  let at = 0
  const go = (): void => {
    while (!response.destroyed && response.write(next(at++)));
  }
  response.on('drain', go)
  go()
}
