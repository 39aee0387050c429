import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createSecureServer } from 'node:tls'
import { promisify } from 'node:util'

import { onTestFinished } from 'vitest'

const run = promisify(execFile)

/** Where a front listens, and with which certificate. */
export type FrontOptions = {
  /** @default 127.0.0.1 */
  readonly host?: string
  /** Speaks TLS with these; plain without. */
  readonly certificate?: { readonly key: string; readonly cert: string }
}

/** Starts a server that passes each connection on to a port of 127.0.0.1. Returns its port; it ends with the test. */
export async function startFront(
  behind: number,
  { host = '127.0.0.1', certificate }: FrontOptions = {},
): Promise<number> {
  const sockets = new Set<Socket>()
  const passOn = (socket: Socket): void => {
    const inner = connect(behind, '127.0.0.1')
    for (const [one, other] of [
      [socket, inner],
      [inner, socket],
    ] as const) {
      sockets.add(one)
      one.on('error', () => other.destroy()).on('close', () => other.destroy())
      one.pipe(other)
    }
  }
  const server = certificate === undefined ? createServer(passOn) : createSecureServer(certificate, passOn)
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, host, resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

/** A certificate authority of our own, and a certificate for 127.0.0.1 and ::1 that it signed. */
export type TestAuthority = {
  /** Its own certificate, a PEM file. */
  readonly file: string
  readonly certificate: { readonly key: string; readonly cert: string }
}

/** Makes one by openssl; its files end with the test. */
export async function createAuthority(): Promise<TestAuthority> {
  const directory = mkdtempSync(join(tmpdir(), 'ngit-sync-tls-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const at = (name: string): string => join(directory, name)
  const key = (name: string): string[] => [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-keyout',
    at(name),
  ]
  writeFileSync(at('names'), 'subjectAltName=IP:127.0.0.1,IP:::1\n')
  await run('openssl', [
    'req',
    '-x509',
    ...key('ca.key'),
    '-subj',
    '/CN=our own authority',
    '-days',
    '2',
    '-out',
    at('ca.pem'),
  ])
  await run('openssl', ['req', '-new', ...key('leaf.key'), '-subj', '/CN=git', '-out', at('leaf.csr')])
  const signer = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial']
  const leaf = ['-in', at('leaf.csr'), '-days', '2', '-extfile', at('names'), '-out', at('leaf.pem')]
  await run('openssl', ['x509', '-req', ...signer, ...leaf])
  const [cert, secret] = ['leaf.pem', 'leaf.key'].map((name) => readFileSync(at(name), 'utf8'))
  return { file: at('ca.pem'), certificate: { key: secret ?? '', cert: cert ?? '' } }
}
