import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { createProgress, renderProgress } from '../../src/cli/progress.ts'
import { waitFor } from '../support/wait-for.ts'

/** A terminal that keeps what is written to it. */
function fakeTerminal(): { stream: NodeJS.WriteStream; written(): string } {
  let text = ''
  const stream = new PassThrough().on('data', (part: Buffer) => void (text += part.toString()))
  const terminal = Object.assign(stream, {
    isTTY: true,
    columns: 100,
    cursorTo: () => true,
    clearLine: () => true,
    moveCursor: () => true,
  })
  return { stream: terminal as unknown as NodeJS.WriteStream, written: () => text }
}

const SOURCES = [
  { url: 'wss://relay.one', events: 3812 },
  { url: 'wss://relay.two', events: 1204 },
]

describe('renderProgress', () => {
  it('names layer, sources, what is sent and the time left', () => {
    const sending = { sent: 120, total: 275, leftMs: 155_000 }
    expect(renderProgress({ layer: 'repositories', perSource: SOURCES, sending }, 120)).toBe(
      '2 repositories  relay.one 3,812 events · relay.two 1,204 · sent 120/275 · about 2 min 35 s left',
    )
  })

  it('sums the sources up where there is no room', () => {
    const sending = { sent: 120, total: 275, leftMs: 1000 }
    expect(renderProgress({ layer: 'repositories', perSource: SOURCES, sending }, 60)).toBe(
      '2 repositories  2 sources 5,016 events · sent 120/275',
    )
  })

  it('escapes what a URL may hold', () => {
    const perSource = [{ url: '\u001b[2J', events: 1 }]
    expect(renderProgress({ layer: 'threads', perSource }, 80)).toBe('3 threads  \\x1b[2J 1 event')
  })
})

describe('createProgress', () => {
  it.each([
    [{ isTTY: false, quiet: false }, true],
    [{ isTTY: true, quiet: false }, true],
    [{ isTTY: false, quiet: true }, false],
  ])('says beforehand what takes long, with %j', async (options, isSaid) => {
    const { stream, written } = fakeTerminal()
    const progress = createProgress({ stream, ...options })
    progress.longSending({ events: 275, rate: '60 events a minute', durationMs: 217_000 })
    progress.stop()
    expect(written().includes('sending 275 events at 60 events a minute: about 3 min 37 s\n')).toBe(isSaid)
  })

  it.each([
    { isTTY: false, quiet: false },
    { isTTY: true, quiet: true },
  ])('writes nothing with %j', async (options) => {
    const { stream, written } = fakeTerminal()
    const progress = createProgress({ stream, ...options })
    progress.fetched('threads', 'wss://relay.one', 5)
    progress.sending(1, 2)
    progress.stop()
    expect(written()).toBe('')
  })

  it('shows the newest counts, adding up pages, and estimates the time left', async () => {
    const { stream, written } = fakeTerminal()
    let now = 0
    const progress = createProgress({ stream, isTTY: true, quiet: false, nowMs: () => now })
    progress.fetched('announcements', 'wss://relay.one', 7)
    progress.fetched('threads', 'wss://relay.one', 5)
    progress.fetched('threads', 'wss://relay.one', 6)
    await waitFor(() => written().includes('3 threads  relay.one 11 events'))
    progress.sending(1, 101)
    now = 10_000
    progress.sending(11, 101)
    await waitFor(() => written().includes('sent 11/101 · about 1 min 30 s left'))
    progress.stop()
  })

  it('writes nothing after stop, even when it was stopped before ora was loaded', async () => {
    const { stream, written } = fakeTerminal()
    const progress = createProgress({ stream, isTTY: true, quiet: false })
    progress.stop()
    progress.fetched('threads', 'wss://relay.one', 5)
    await import('ora')
    await new Promise((resolve) => setImmediate(resolve))
    expect(written()).toBe('')
  })
})
