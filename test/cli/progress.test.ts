import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { createProgress } from '../../src/cli/progress.ts'
import { ProgressTally } from '../../src/cli/progress-tally.ts'
import { renderProgress } from '../../src/cli/render/render-progress.ts'
import type { RunEvent } from '../../src/run-event.ts'
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

const perSource = [
  { url: 'wss://relay.one', events: 3812 },
  { url: 'wss://relay.two', events: 1204 },
]
const LONG: RunEvent = {
  type: 'sending',
  events: 275,
  forecast: { rate: '60 events a minute', durationMs: 217_000 },
}

function page(layer: 'announcements' | 'threads', events: number): RunEvent {
  return { type: 'page', source: 'wss://relay.one', layer, events }
}

describe('renderProgress', () => {
  it('names the layer that is read, and the sources', () => {
    expect(renderProgress({ doing: 'reading', layer: 'repositories', perSource }, 120)).toBe(
      'reading 2 repositories  relay.one 3,812 events · relay.two 1,204',
    )
  })

  it('sums the sources up where there is no room', () => {
    expect(renderProgress({ doing: 'reading', layer: 'repositories', perSource }, 50)).toBe(
      'reading 2 repositories  2 sources 5,016 events',
    )
  })

  it('says what is sent and the time left while sending, not the layer that was read last', () => {
    expect(renderProgress({ doing: 'sending', sent: 120, total: 275, leftMs: 155_000 }, 80)).toBe(
      'sending  120/275 · about 2 min 35 s left',
    )
    expect(renderProgress({ doing: 'sending', sent: 120, total: 275, leftMs: 1000 }, 80)).toBe('sending  120/275')
  })

  it.each([
    [120, 'serving  the target has 5,512/6,000 · none for 2 min 5 s · lacks 427× comment, 61× kind 4321'],
    [80, 'serving  the target has 5,512/6,000 · none for 2 min 5 s · lacks 427× comment …'],
    [77, 'serving  the target has 5,512/6,000 · none for 2 min 5 s'],
  ])(
    'says in %i columns how far the target has come, for how long it takes nothing, and what it lacks',
    (width, line) => {
      const lacking = [
        { kind: 1111, count: 427 },
        { kind: 4321, count: 61 },
      ]
      const state = { doing: 'serving', served: 5512, total: 6000, quietMs: 125_000, isVisited: true, lacking } as const
      expect(renderProgress(state, width)).toBe(line)
    },
  )

  it('names the relays that have not answered yet', () => {
    expect(renderProgress({ doing: 'connecting', waitingFor: ['wss://relay.two'] }, 80)).toBe('connecting  relay.two')
  })

  it('escapes what a URL may hold', () => {
    const hostile = [{ url: '\u001b[2J', events: 1 }]
    expect(renderProgress({ doing: 'reading', layer: 'threads', perSource: hostile }, 80)).toBe(
      'reading 3 threads  \\x1b[2J 1 event',
    )
  })
})

describe('ProgressTally', () => {
  it('follows a run from connecting to confirming', () => {
    let now = 0
    const tally = new ProgressTally(() => now)
    const after = (...events: readonly RunEvent[]): string => {
      events.forEach((event) => tally.tell(event))
      return renderProgress(tally.state(), 120)
    }
    expect(after()).toBe('connecting')
    expect(after({ type: 'connecting', relay: 'wss://a' }, { type: 'connecting', relay: 'wss://b' })).toBe(
      'connecting  a · b',
    )
    expect(after({ type: 'connected', relay: 'wss://a' })).toBe('connecting  b')
    expect(after({ type: 'reading', layer: 'announcements' })).toBe('reading 1 announcements')
    expect(after(page('announcements', 7))).toBe('reading 1 announcements  relay.one 7 events')
    expect(after({ type: 'reading', layer: 'threads' }, page('threads', 5), page('threads', 6))).toBe(
      'reading 3 threads  relay.one 11 events',
    )
    expect(after({ type: 'phase', phase: 'selecting' })).toBe('selecting what the target lacks')
    expect(after({ type: 'sending', events: 101 })).toBe('sending  0/101')
    expect(after({ type: 'sent', id: '', sent: 1, total: 101 })).toBe('sending  1/101')
    now = 10_000
    expect(after({ type: 'sent', id: '', sent: 11, total: 101 })).toBe('sending  11/101 · about 1 min 30 s left')
    expect(after({ type: 'phase', phase: 'confirming' })).toBe('confirming  11 events sent')
  })

  it('counts how long the target has taken nothing, from when it came to read', () => {
    let now = 0
    const tally = new ProgressTally(() => now)
    tally.tell({ type: 'serving', url: 'ws://127.0.0.1:7777', events: 9, software: undefined })
    const at = (seconds: number, served: number, isVisited = true): string => {
      now = seconds * 1_000
      tally.tell({ type: 'served', served, total: 9, lacking: [], isVisited })
      return renderProgress(tally.state(), 80)
    }
    expect(at(100, 0, false)).toBe('serving  the target has 0/9 · nobody has come to read')
    expect(at(110, 0)).toBe('serving  the target has 0/9')
    expect(at(170, 0)).toBe('serving  the target has 0/9 · none for 1 min')
    expect(at(180, 8)).toBe('serving  the target has 8/9')
    expect(at(239, 8)).toBe('serving  the target has 8/9')
    expect(at(300, 8)).toBe('serving  the target has 8/9 · none for 2 min')
    expect(at(400, 9)).toBe('serving  the target has 9/9')
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
    progress.tell(LONG)
    progress.stop()
    expect(written().includes('sending 275 events at 60 events a minute: about 3 min 37 s\n')).toBe(isSaid)
  })

  it.each([
    { isTTY: false, quiet: false },
    { isTTY: false, quiet: true, statsMs: 1 },
    { isTTY: true, quiet: true },
  ])('writes nothing with %j', async (options) => {
    const { stream, written } = fakeTerminal()
    const progress = createProgress({ stream, ...options })
    progress.tell(page('threads', 5))
    progress.tell({ type: 'sent', id: '', sent: 1, total: 2 })
    progress.stop()
    expect(written()).toBe('')
  })

  it('prints the line again and again where there is no terminal, when asked to', async () => {
    const { stream, written } = fakeTerminal()
    const progress = createProgress({ stream, isTTY: false, quiet: false, statsMs: 5 })
    progress.tell({ type: 'reading', layer: 'threads' })
    await waitFor(() => written().includes('reading 3 threads\nreading 3 threads\n'))
    progress.stop()
  })

  it('shows the newest counts on a terminal', async () => {
    const { stream, written } = fakeTerminal()
    const progress = createProgress({ stream, isTTY: true, quiet: false })
    progress.tell({ type: 'reading', layer: 'threads' })
    progress.tell(page('threads', 11))
    await waitFor(() => written().includes('reading 3 threads  relay.one 11 events'))
    progress.stop()
  })

  it('writes nothing after stop, even when it was stopped before ora was loaded', async () => {
    const { stream, written } = fakeTerminal()
    const progress = createProgress({ stream, isTTY: true, quiet: false })
    progress.tell(page('threads', 5))
    progress.stop()
    progress.tell(page('threads', 5))
    await import('ora')
    await new Promise((resolve) => setImmediate(resolve))
    expect(written()).toBe('')
  })
})
