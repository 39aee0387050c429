import type { LookupAddress } from 'node:dns'
import { Agent as PlainAgent, request as requestPlain, type Agent, type IncomingMessage } from 'node:http'
import { Agent as SecureAgent, request as requestSecure } from 'node:https'
import { createLookup } from '../relay/socket/guarded-lookup.ts'
import type { GitUrl } from './git-url.ts'

/** One request to a git server: a GET, or with a body a POST. */
export type GitQuestion = {
  /** Below the repository, with the query. */
  readonly path: string
  readonly body?: string
  /** The media type that the answer must have. */
  readonly expects: string
  /** Whether what was read says all; then the rest is not waited for. @default never */
  readonly isEnough?: (answer: Buffer) => boolean
}

/** What a server can do; older ones answer with their refs. */
export const CAPABILITIES: GitQuestion = {
  path: '/info/refs?service=git-upload-pack',
  expects: 'application/x-git-upload-pack-advertisement',
}

/** How a question may be asked; `count` hears of each piece of an answer. */
export type GitHttpOptions = {
  readonly addresses: readonly LookupAddress[]
  readonly agent: Agent
  readonly maxBytes: number
  readonly signal: AbortSignal
  readonly count: (bytes: number) => void
}

/** Creates what keeps a connection open between two questions of one listing; destroy it behind the last. */
export function createAgent({ isSecure }: GitUrl): Agent {
  return isSecure ? new SecureAgent({ keepAlive: true }) : new PlainAgent({ keepAlive: true })
}

/** A server's answer is no answer of git. */
export class GitHttpError extends Error {
  readonly status: number

  constructor(message: string, status: number) {
    super(message)
    this.status = status
  }
}

/** An answer is longer than is read. */
export class TooLongError extends Error {}

/**
 * Asks over a connection that goes to one of the addresses, and follows no redirect. Rejects with
 * GitHttpError if the answer is not git's, with TooLongError, with the error of the socket, or when aborted.
 */
export async function askGit(url: GitUrl, question: GitQuestion, options: GitHttpOptions): Promise<Buffer> {
  const response = await send(url, question, options)
  try {
    refuse(response, question.expects)
    return await readBody(response, question, options)
  } finally {
    response.destroy()
  }
}

function send(url: GitUrl, question: GitQuestion, options: GitHttpOptions): Promise<IncomingMessage> {
  const { path, body } = question
  const { agent, signal } = options
  const request = url.isSecure ? requestSecure : requestPlain
  const headers = {
    'user-agent': 'git/2.39 (ngit-sync)',
    'git-protocol': 'version=2',
    accept: question.expects,
    ...(body === undefined ? {} : { 'content-type': 'application/x-git-upload-pack-request' }),
  }
  const lookup = createLookup(async () => options.addresses)
  const init = { method: body === undefined ? 'GET' : 'POST', headers, agent, signal, lookup }
  return new Promise((resolve, reject) => {
    request(`${url.href}${path}`, init, resolve).on('error', reject).end(body)
  })
}

function refuse({ statusCode = 0, headers }: IncomingMessage, expected: string): void {
  if (statusCode >= 300 && statusCode < 400) {
    const to = (headers.location ?? 'nowhere').slice(0, 200)
    throw new GitHttpError(`HTTP ${statusCode}: it redirects to ${to}, which is not followed`, statusCode)
  }
  if (statusCode === 401) throw new GitHttpError('HTTP 401: it wants a password (private, or not there)', 401)
  if (statusCode !== 200) throw new GitHttpError(`HTTP ${statusCode}`, statusCode)
  if (headers['content-encoding'] !== undefined) throw new GitHttpError('it sends a compressed answer unasked', 200)
  const [type = ''] = (headers['content-type'] ?? 'nothing').split(';')
  if (type !== expected) throw new GitHttpError(`it answers with ${type.slice(0, 60)} instead of git's protocol`, 200)
}

async function readBody(
  response: AsyncIterable<Buffer>,
  { isEnough }: GitQuestion,
  { maxBytes, count }: GitHttpOptions,
): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response) {
    count(chunk.length)
    bytes += chunk.length
    if (bytes > maxBytes) throw new TooLongError(`its list of refs is longer than ${maxBytes / 1024 ** 2} MiB`)
    chunks.push(chunk)
    if (isEnough?.(Buffer.concat(chunks)) === true) break
  }
  return Buffer.concat(chunks)
}
