import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createLiveLog, openLogFile } from '../../src/cli/monitor/log.ts'
import { renderLogLine } from '../../src/cli/monitor/log-line.ts'
import { LOG_LEVELS } from '../../src/cli/parse/monitoring-options.ts'
import type { RunEvent } from '../../src/run-event.ts'

const TIME = new Date('2026-11-27T03:17:02.114Z')
const ID = 'ab'.repeat(32)

/** One of each, with a stranger's text wherever one may stand. */
function eventsWith(text: string): RunEvent[] {
  const [layer, relay, reason, source] = ['threads', text, text, text] as const
  return [
    { type: 'begun', command: 'catchup', target: text, sources: Array.from({ length: 1_000 }, () => text) },
    { type: 'phase', phase: 'selecting' },
    { type: 'reading', layer },
    { type: 'sending', events: 3 },
    { type: 'sending', events: 3, forecast: { rate: '1 event a second', durationMs: 70_000 } },
    { type: 'connecting', relay },
    { type: 'connected', relay },
    { type: 'disconnected', relay, reason },
    { type: 'reconnecting', relay, waitMs: 250 },
    { type: 'document', relay, software: text, version: text, problem: undefined },
    { type: 'document', relay, software: undefined, version: undefined, problem: text },
    { type: 'notice', relay, text },
    { type: 'slow-down', relay, reason, waitMs: 1_000 },
    { type: 'retry', relay, reason },
    { type: 'page', source, layer, events: 5 },
    { type: 'end', source, layer, pages: 1, events: 5, reason: null },
    { type: 'end', source, layer, pages: 1, events: 5, reason },
    { type: 'sent', id: ID, sent: 1, total: 2 },
    { type: 'event', state: 'parked', id: ID, kind: 1621, layer, outcome: 'waiting', reason },
    { type: 'event', state: 'refused', id: ID, kind: 1621, layer, outcome: 'refused', reason },
    { type: 'event', state: 'settled', id: ID, kind: 1621, layer, outcome: undefined, reason: undefined },
    { type: 'checkpoint', source, layer, anchors: 3 },
    { type: 'source', source, complete: false, events: 3 },
    { type: 'problem', what: 'source', where: text, reason, count: 2 },
    { type: 'ended', exit: 3, durationMs: 1_000, verdict: text },
  ]
}

function temporaryFile(name: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'ngit-sync-log-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return join(directory, name)
}

function linesOf(path: string): string[] {
  return readFileSync(path, 'utf8').trimEnd().split('\n')
}

describe('renderLogLine', () => {
  it('says what happens, for people', () => {
    const lines = eventsWith('wss://one.example').map((event) => renderLogLine(event, 'text', TIME))
    expect(lines[0]).toMatch(/^2026-11-27T03:17:02\.114Z info  catchup/)
    expect(lines.map((line) => line.slice(25))).toEqual([
      'info  catchup: target wss://one.example from wss://one.example, wss://one.example, wss://one.example, wss://one.example, wss://one.example and 995 more',
      'info  selecting what to send',
      'info  reading 3 threads',
      'info  sending 3 events',
      'info  sending 3 events at 1 event a second: about 1 min 10 s',
      'debug wss://one.example: connecting',
      'info  wss://one.example: connected',
      'warn  wss://one.example: not connected: wss://one.example',
      'info  wss://one.example: trying again in 250 ms',
      'info  wss://one.example: wss://one.example wss://one.example (NIP-11)',
      'warn  wss://one.example: its NIP-11 document could not be read: wss://one.example',
      'warn  wss://one.example: NOTICE wss://one.example',
      'info  wss://one.example: slower, 1.0 s: wss://one.example',
      'debug wss://one.example: asking again: wss://one.example',
      'debug wss://one.example: 3 threads: 5 events received',
      'debug wss://one.example: 3 threads: a filter was read to its end, 5 events on 1 page',
      'warn  wss://one.example: 3 threads: a filter was not read to its end, after 5 events on 1 page: wss://one.example',
      'debug sent abababababababababababababababababababababababababababababababab (1/2)',
      'info  parked (waiting) abababababababababababababababababababababababababababababababab kind 1621: wss://one.example',
      'warn  refused abababababababababababababababababababababababababababababababab kind 1621: wss://one.example',
      'debug settled abababababababababababababababababababababababababababababababab kind 1621',
      'info  wss://one.example: 3 threads: checkpoints of 3 anchors moved',
      'warn  wss://one.example: not read to its end, 3 events',
      'warn  source wss://one.example: wss://one.example (2)',
      'warn  wss://one.example',
    ])
  })

  it('says the same for programs, with every field', () => {
    const line = renderLogLine({ type: 'reconnecting', relay: 'wss://one.example', waitMs: 250 }, 'json', TIME)
    expect(JSON.parse(line)).toEqual({
      time: '2026-11-27T03:17:02.114Z',
      level: 'info',
      message: 'wss://one.example: trying again in 250 ms',
      type: 'reconnecting',
      relay: 'wss://one.example',
      waitMs: 250,
    })
  })

  it.each(['text', 'json'] as const)('is one harmless and bounded line of %s, whatever strangers write', (format) => {
    const hostile = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 3_000 }),
      fc.constantFrom('\u001b[2J\n\r\u202e\u200b', '\ud800', 'x'.repeat(100_000), '\u0085\u2028"\\'),
    )
    fc.assert(
      fc.property(hostile, (text) => {
        for (const event of eventsWith(text)) {
          const line = renderLogLine(event, format, TIME)
          expect(line).not.toMatch(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202e\u200b]/u)
          expect(line.length).toBeLessThan(100_000)
          if (format === 'json') expect(JSON.parse(line)).toMatchObject({ type: event.type })
        }
      }),
      { numRuns: 30 },
    )
  })

  it.each(['text', 'json'] as const)('shows no query, user or password of a URL: %s', (format) => {
    for (const event of eventsWith('wss://user:hidden@one.example/?token=hidden'))
      expect(renderLogLine(event, format, TIME)).not.toContain('hidden')
  })
})

describe('openLogFile', () => {
  const warn = (line: string): void => expect.fail(line)

  it('appends to a file for its owner only', () => {
    const path = temporaryFile('a.log')
    for (const relay of ['wss://a', 'wss://b']) {
      const log = openLogFile(path, { logFormat: 'text', logLevel: 'info' }, warn)
      log.tell({ type: 'connected', relay })
      log.close()
    }
    expect(linesOf(path).map((line) => line.slice(25))).toEqual([
      'info  wss://a: connected',
      'info  wss://b: connected',
    ])
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it.each([
    ['error', 0],
    ['warn', 1],
    ['info', 2],
    ['debug', 3],
  ] as const)('writes what matters at level %s', (logLevel, count) => {
    const path = temporaryFile('a.log')
    const log = openLogFile(path, { logFormat: 'json', logLevel }, warn)
    log.tell({ type: 'notice', relay: 'wss://a', text: 'hello' })
    log.tell({ type: 'connected', relay: 'wss://a' })
    log.tell({ type: 'sent', id: ID, sent: 1, total: 1 })
    log.close()
    expect(linesOf(path).filter((line) => line !== '')).toHaveLength(count)
    expect(LOG_LEVELS).toContain(logLevel)
  })

  it('says once that the disk is full, and goes on without a log', () => {
    const warnings: string[] = []
    const log = openLogFile('/dev/full', { logFormat: 'text', logLevel: 'info' }, (line) => warnings.push(line))
    for (const relay of ['wss://a', 'wss://b']) log.tell({ type: 'connected', relay })
    log.close()
    expect(warnings).toEqual(['warning: the log /dev/full ends here: no space left on the device'])
  })

  it('refuses a file that cannot be opened', () => {
    expect(() => openLogFile('/nowhere/a.log', { logFormat: 'text', logLevel: 'info' }, warn)).toThrow(
      '--log-file /nowhere/a.log cannot be written: no such file',
    )
  })
})

describe('createLiveLog', () => {
  it('prints a short line with the local time, and names a level only if it matters', () => {
    const printed: string[] = []
    const tell = createLiveLog({ logFormat: 'text', logLevel: 'info' }, (text) => printed.push(text))
    tell({ type: 'connected', relay: 'wss://a' })
    tell({ type: 'notice', relay: 'wss://a', text: 'slow down' })
    tell({ type: 'ended', exit: 0, durationMs: 1, verdict: 'the report says so' })
    expect(printed.map((line) => line.replace(/^\d\d:\d\d:\d\d /, ''))).toEqual([
      'wss://a: connected\n',
      'warn: wss://a: NOTICE slow down\n',
    ])
  })
})
