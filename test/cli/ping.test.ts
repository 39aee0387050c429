import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createPing } from '../../src/cli/monitor/ping.ts'

type Got = { readonly path: string; readonly body: string }
type Answer = (request: IncomingMessage, response: ServerResponse) => void

async function listen(answer: Answer = (_, response) => void response.end('OK')) {
  const got: Got[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (part: string) => (body += part))
    request.on('end', () => {
      got.push({ path: `${request.method ?? ''} ${request.url ?? ''}`, body })
      answer(request, response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/secret`, got }
}

async function pingAll(url: string, exit: number): Promise<string[]> {
  const warnings: string[] = []
  const ping = createPing(url, (line) => warnings.push(line))
  ping.start()
  await ping.end(exit, 'the verdict')
  return warnings
}

describe('createPing', () => {
  it.each([
    [0, '/secret'],
    [1, '/secret/1'],
    [3, '/secret/3'],
    [143, '/secret/143'],
  ])('tells the start, then exit %d at %s with the verdict', async (exit, path) => {
    const { url, got } = await listen()
    expect(await pingAll(url, exit)).toEqual([])
    expect(got).toEqual([
      { path: 'POST /secret/start', body: '' },
      { path: `POST ${path}`, body: 'the verdict' },
    ])
  })

  it('keeps the query of the URL', async () => {
    const { url, got } = await listen()
    await pingAll(`${url}/?create=1`, 3)
    expect(got.map(({ path }) => path)).toEqual(['POST /secret/start?create=1', 'POST /secret/3?create=1'])
  })

  it('follows no redirect, and says so once without the secret', async () => {
    const { url, got } = await listen((_, response) => void response.writeHead(302, { location: '/elsewhere' }).end())
    const warnings = await pingAll(url, 0)
    expect(got.map(({ path }) => path)).toEqual(['POST /secret/start', 'POST /secret'])
    expect(warnings).toEqual([
      expect.stringMatching(/^warning: --ping to http:\/\/127\.0\.0\.1:\d+\/… failed: it answered 302$/),
    ])
  })

  it('says why a server cannot be reached, without the secret', async () => {
    const { url } = await listen((request) => void request.socket.destroy())
    const warnings = await pingAll(url, 0)
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toMatch(/failed: .+/)
    expect(warnings[0]).not.toContain('secret')
  })

  it('gives up after five seconds', { timeout: 20_000 }, async () => {
    const { url } = await listen(() => undefined)
    const warnings: string[] = []
    await createPing(url, (line) => warnings.push(line)).end(0, '')
    expect(warnings).toEqual([expect.stringMatching(/failed: no answer within 5 s$/)])
  })
})
