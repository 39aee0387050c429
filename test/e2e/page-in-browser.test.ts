import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { buildPage } from '../../src/cli/page/build-page.ts'
import { renderHtml } from '../../src/cli/page/render-html.ts'
import { NOW, PARTIAL } from '../cli/reports.ts'
import { waitFor } from '../support/wait-for.ts'

/** A Chromium or Chrome to look with; `PAGE_PICTURES` names a directory for what it saw. */
const CHROMIUM = process.env['CHROMIUM'] ?? ''
const PICTURES = process.env['PAGE_PICTURES']

const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--remote-debugging-port=0', '--hide-scrollbars']

type Browser = { send<T>(method: string, params: object, sessionId?: string): Promise<T> }

/** Starts the browser, and talks to it over the DevTools protocol. */
async function startBrowser(directory: string): Promise<Browser> {
  const child = spawn(CHROMIUM, [...FLAGS, `--user-data-dir=${directory}`], { stdio: ['ignore', 'ignore', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let log = ''
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()))
  await waitFor(() => log.includes('DevTools listening on'), { timeoutMs: 30_000 })
  const socket = new WebSocket(/DevTools listening on (\S+)/.exec(log)?.[1] ?? '')
  await new Promise((resolve) => socket.once('open', resolve))
  const waiting = new Map<number, (result: unknown) => void>()
  socket.on('message', (message: Buffer) => {
    const { id, result } = JSON.parse(message.toString()) as { id?: number; result?: unknown }
    if (id !== undefined) waiting.get(id)?.(result)
  })
  let last = 0
  return {
    send: <T>(method: string, params: object, sessionId?: string) => {
      last += 1
      socket.send(JSON.stringify({ id: last, method, params, ...(sessionId === undefined ? {} : { sessionId }) }))
      return new Promise<T>((resolve) => waiting.set(last, (result) => resolve(result as T)))
    },
  }
}

/** How wide the page is at a width of the window, and what it looks like. */
async function lookAt(html: string, width: number, scheme: string) {
  const directory = mkdtempSync(join(tmpdir(), 'ngit-sync-browser-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }))
  const file = join(directory, 'page.html')
  writeFileSync(file, html)
  const browser = await startBrowser(join(directory, 'profile'))
  const { targetId } = await browser.send<{ targetId: string }>('Target.createTarget', { url: `file://${file}` })
  const attached = await browser.send<{ sessionId: string }>('Target.attachToTarget', { targetId, flatten: true })
  const ask = <T>(method: string, params: object): Promise<T> => browser.send<T>(method, params, attached.sessionId)
  await ask('Emulation.setDeviceMetricsOverride', { width, height: 900, deviceScaleFactor: 1, mobile: width < 600 })
  await ask('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] })
  const expression = `document.readyState === 'complete' ? document.documentElement.scrollWidth : 0`
  const measure = () => ask<{ result: { value: number } }>('Runtime.evaluate', { expression })
  let measured = await measure()
  while (measured.result.value === 0) measured = await measure()
  const { data } = await ask<{ data: string }>('Page.captureScreenshot', { captureBeyondViewport: true })
  if (PICTURES !== undefined) writeFileSync(join(PICTURES, `page-${width}-${scheme}.png`), Buffer.from(data, 'base64'))
  return { scrollWidth: measured.result.value, picture: data }
}

describe.skipIf(CHROMIUM === '')('the page in a browser (CHROMIUM names it)', () => {
  it.each([
    [390, 'light'],
    [390, 'dark'],
    [1280, 'light'],
    [1280, 'dark'],
  ])('is not wider than a window of %i pixels (%s)', { timeout: 120_000 }, async (width, scheme) => {
    const long = 'x'.repeat(300)
    const [row] = PARTIAL.repositories
    const repositories = row === undefined ? [] : [...PARTIAL.repositories, { ...row, name: long }]
    const report = { ...PARTIAL, repositories, target: `ws://${long}`, notes: [long] }
    const { scrollWidth, picture } = await lookAt(
      renderHtml(buildPage(report, { now: NOW, timeZone: 'UTC' }, '1.2.3')),
      width,
      scheme,
    )
    expect(scrollWidth).toBeLessThanOrEqual(width)
    expect(picture.length).toBeGreaterThan(1_000)
  })
})
