import { chmodSync, readdirSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { SyncError } from '../../src/errors.ts'
import type { EventBatch } from '../../src/file/event-index.ts'
import type { JsonlEndpoint } from '../../src/file/file-endpoint.ts'
import { buildEvent, buildEvents, toJsonl } from './build-event.ts'
import { temporaryDirectory } from '../support/temporary-state.ts'
import { makeEndpoint, openEndpoint } from './open-endpoint.ts'

const events = buildEvents(3)
const newestFirst = events.toReversed()

function writeSource(content: string | Buffer, name = 'events.jsonl'): string {
  const path = join(temporaryDirectory(), name)
  writeFileSync(path, content)
  return path
}

const openSource = (content: string | Buffer, name?: string) => openEndpoint(writeSource(content, name))

async function allRows(endpoint: JsonlEndpoint): Promise<readonly unknown[]> {
  return (await endpoint.request({})).rows
}

async function openFailure(endpoint: JsonlEndpoint): Promise<SyncError> {
  const failure = await endpoint.open().catch((error: unknown) => error)
  if (failure instanceof SyncError) return failure
  throw new Error('open() did not throw a SyncError', { cause: failure })
}

describe('a file as source', () => {
  it('says nothing of itself', async () => {
    const endpoint = makeEndpoint(writeSource(''))
    expect(await endpoint.open()).toEqual({ supportedNips: [], supportedGrasps: [] })
    expect(endpoint.kind).toBe('file')
  })

  it('answers a filter newest first, to its end, with the bytes of the JSON', async () => {
    const endpoint = await openSource(toJsonl(events))
    const page = await endpoint.request({ kinds: [1621], limit: 2 })
    const bytes = Buffer.byteLength(toJsonl(newestFirst.slice(0, 2))) - 2
    expect(page).toEqual({ rows: newestFirst.slice(0, 2), bytes, end: { type: 'eose' } })
  })

  it.each([
    ['CRLF', toJsonl(events).replaceAll('\n', '\r\n')],
    ['a byte order mark', `\uFEFF${toJsonl(events)}`],
    ['blank lines', `\n\n${toJsonl(events).replaceAll('\n', '\n \n')}`],
    ['no line end after the last event', toJsonl(events).trimEnd()],
    ['relay messages', events.map((event) => `["EVENT","sub",${JSON.stringify(event)}]\n`).join('')],
    ['every event twice', toJsonl([...events, ...events])],
  ])('reads a file with %s', async (_, content) => {
    const endpoint = await openSource(content)
    expect(await allRows(endpoint)).toEqual(newestFirst)
    expect(endpoint.brokenLines()).toEqual({ count: 0, examples: [] })
  })

  it('keeps a forged copy from hiding the true event (rule 4)', async () => {
    const [event] = events
    const forged = { ...event, sig: '0'.repeat(128) }
    const endpoint = await openSource(`${JSON.stringify(forged)}\n${JSON.stringify(event)}\n`)
    expect(await allRows(endpoint)).toEqual([forged, event])
  })

  it('streams 10,000 events in order and in batches of at most 500', async () => {
    const endpoint = await openSource(toJsonl(buildEvents(10_000)))
    const batches: EventBatch[] = []
    for await (const batch of endpoint.scan({ kinds: [1621] })) batches.push(batch)
    expect(Math.max(...batches.map((batch) => batch.rows.length))).toBe(500)
    expect(batches.flatMap((batch) => batch.rows)).toEqual(buildEvents(10_000).reverse())
  })

  it('reads standard input', async () => {
    const bytes = Buffer.from(toJsonl(events))
    const stdin = Readable.from([bytes.subarray(0, 100), bytes.subarray(100)])
    expect(await allRows(await openEndpoint('-', { stdin }))).toEqual(newestFirst)
  })

  it('answers aborted once the run is aborted', async () => {
    const abort = new AbortController()
    const endpoint = await openEndpoint(writeSource(toJsonl(events)), { signal: abort.signal })
    abort.abort(new Error('interrupted'))
    expect(await endpoint.request({})).toEqual({
      rows: [],
      bytes: 0,
      end: { type: 'aborted', reason: 'interrupted' },
    })
  })

  it('breaks a scan off with the reason of the abort: the end of a scan is a proof', async () => {
    const abort = new AbortController()
    const endpoint = await openEndpoint(writeSource(toJsonl(buildEvents(600))), { signal: abort.signal })
    const scan = endpoint.scan({})
    await scan.next()
    abort.abort(new Error('interrupted'))
    await expect(scan.next()).rejects.toThrow('interrupted')
  })

  it('stops reading standard input when aborted', async () => {
    const abort = new AbortController()
    const endpoint = makeEndpoint('-', { stdin: new Readable({ read() {} }), signal: abort.signal })
    const opening = endpoint.open()
    abort.abort(new Error('interrupted'))
    await expect(opening).rejects.toThrow('interrupted')
  })

  it('refuses to be written to', async () => {
    const endpoint = await openSource('')
    expect(await endpoint.publish(buildEvent('one'))).toMatchObject({ type: 'ok', accepted: false })
  })

  it('leaves nothing in the temporary directory, open or closed', async () => {
    const temporary = temporaryDirectory()
    const endpoint = await openEndpoint(writeSource(toJsonl(events)), { temporaryDirectory: temporary })
    expect(readdirSync(temporary)).toEqual([])
    await endpoint.close()
    expect(readdirSync(temporary)).toEqual([])
  })
})

describe('broken lines of a source', () => {
  it('counts them with their numbers and reasons, and reads the rest', async () => {
    const [first, second, third] = events.map((event) => JSON.stringify(event))
    const bytes = Buffer.concat([
      Buffer.from(`${first}\n{"id":1}\n\nnonsense\n${second}\n`),
      Buffer.from([0x22, 0xff, 0x22, 0x0a]),
      Buffer.from(`${third}\n${first?.slice(0, 50)}`),
    ])
    const endpoint = await openSource(bytes)
    expect(await allRows(endpoint)).toEqual(newestFirst)
    expect(endpoint.brokenLines()).toEqual({
      count: 4,
      examples: [
        { line: 2, reason: 'not an event (NIP-01)' },
        { line: 4, reason: 'not valid JSON' },
        { line: 6, reason: 'not valid UTF-8' },
        { line: 8, reason: 'not valid JSON' },
      ],
    })
  })

  it('keeps the first 20 as examples', async () => {
    const endpoint = await openSource('nonsense\n'.repeat(30))
    const { count, examples } = endpoint.brokenLines()
    expect([count, examples.length, examples.at(-1)?.line]).toEqual([30, 20, 20])
  })

  it('reads past a line of more than 16 MiB', async () => {
    const [first, ...rest] = events
    const huge = JSON.stringify({ ...first, content: 'x'.repeat(17 * 1024 * 1024) })
    const endpoint = await openSource(`${huge}\n${toJsonl(rest)}`)
    expect(await allRows(endpoint)).toEqual(rest.toReversed())
    expect(endpoint.brokenLines()).toEqual({ count: 1, examples: [{ line: 1, reason: 'longer than 16 MiB' }] })
  })
})

describe('a gzip file as source', () => {
  const many = buildEvents(2000)
  const compressed = gzipSync(toJsonl(many))

  it('reads all members', async () => {
    const content = Buffer.concat([gzipSync(toJsonl(events.slice(0, 1))), gzipSync(toJsonl(events.slice(1)))])
    const endpoint = await openSource(content, 'events.jsonl.gz')
    expect(await allRows(endpoint)).toEqual(newestFirst)
    expect(endpoint.brokenLines().count).toBe(0)
  })

  it('reads an empty file as one without events', async () => {
    const endpoint = await openSource('', 'events.jsonl.gz')
    expect([await allRows(endpoint), endpoint.brokenLines().count]).toEqual([[], 0])
  })

  it('keeps what stands before a cut, and says where it is', async () => {
    const path = writeSource(compressed, 'events.jsonl.gz')
    truncateSync(path, Math.floor(compressed.length / 2))
    const endpoint = await openEndpoint(path)
    const rows = await allRows(endpoint)
    expect(rows.length).toBeGreaterThan(800)
    expect(rows).toEqual(many.slice(0, rows.length).reverse())
    const { examples } = endpoint.brokenLines()
    expect(examples.at(-1)).toEqual({ line: expect.any(Number), reason: 'gzip data ends too early' })
  })

  it('says so when the cut is exactly between two lines', async () => {
    const whole = gzipSync(toJsonl(events))
    const endpoint = await openSource(whole.subarray(0, -4), 'events.jsonl.gz')
    expect(await allRows(endpoint)).toEqual(newestFirst)
    expect(endpoint.brokenLines()).toEqual({ count: 1, examples: [{ line: 4, reason: 'gzip data ends too early' }] })
  })

  it.each([
    ['zero bytes', Buffer.alloc(100)],
    ['zero bytes and another member', Buffer.concat([Buffer.alloc(300_000), compressed])],
    ['something else', Buffer.alloc(300_000, 'garbage')],
  ])('reports %s after a member', async (_, rest) => {
    const endpoint = await openSource(Buffer.concat([compressed, rest]), 'events.jsonl.gz')
    const { count, examples } = endpoint.brokenLines()
    expect(count).toBeGreaterThan(0)
    expect(examples.at(-1)?.reason).toContain('gzip data')
  })

  it('reports a file that is not gzip', async () => {
    const endpoint = await openSource(toJsonl(events), 'events.jsonl.gz')
    expect(endpoint.brokenLines()).toEqual({
      count: 1,
      examples: [{ line: 1, reason: 'gzip data cannot be read from here on: incorrect header check' }],
    })
  })
})

describe('a source that cannot be opened', () => {
  it.each(['missing.jsonl', 'missing.jsonl.gz'])('names the missing file %s and what to check', async (name) => {
    const path = join(temporaryDirectory(), name)
    const failure = await openFailure(makeEndpoint(path))
    expect(failure.message).toBe(`read events from ${path}: no such file`)
    expect(failure.hint).toContain('check the name')
  })

  it('tells a directory from a file', async () => {
    const directory = temporaryDirectory()
    const failure = await openFailure(makeEndpoint(directory))
    expect(failure.message).toBe(`read events from ${directory}: it is a directory`)
    expect(failure.hint).toContain('name a file in it')
  })

  it('names a path through a file', async () => {
    const path = join(writeSource(''), 'events.jsonl')
    const failure = await openFailure(makeEndpoint(path))
    expect(failure.message).toBe(`read events from ${path}: a part of the path is not a directory`)
  })

  it.skipIf(process.getuid?.() === 0)('names a file that this user may not read', async () => {
    const path = writeSource('')
    chmodSync(path, 0)
    expect((await openFailure(makeEndpoint(path))).message).toBe(`read events from ${path}: permission denied`)
  })

  it('leaves no index behind', async () => {
    const temporary = temporaryDirectory()
    await openFailure(makeEndpoint(join(dirname(temporary), 'missing.jsonl'), { temporaryDirectory: temporary }))
    expect(readdirSync(temporary)).toEqual([])
  })

  it('needs standard input for -', async () => {
    expect((await openFailure(makeEndpoint('-'))).message).toBe('read events from standard input: there is none')
  })
})
