import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  lstatSync,
} from 'node:fs'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { gunzipSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { JsonlEndpoint, FileEndpointOptions } from '../../src/file/file-endpoint.ts'
import { buildEvent, buildEvents, toJsonl } from './build-event.ts'
import { temporaryDirectory } from '../support/temporary-state.ts'
import { makeEndpoint, openEndpoint } from './open-endpoint.ts'

const events = buildEvents(3)
const [one, two, three] = [buildEvent('one'), buildEvent('two'), buildEvent('three')]
const WRITTEN = { type: 'ok', accepted: true, text: '' }
const DUPLICATE = { type: 'ok', accepted: true, text: 'duplicate: already in the file' }

const targetPath = (name = 'target.jsonl') => join(temporaryDirectory(), name)

const openTarget = (path: string, options: Partial<FileEndpointOptions> = {}) =>
  openEndpoint(path, { role: 'target', ...options })

const publishAll = (endpoint: JsonlEndpoint, published: readonly (typeof one)[]) =>
  Promise.all(published.map((event) => endpoint.publish(event)))

async function linesOf(path: string): Promise<number> {
  const endpoint = await openEndpoint(path)
  return (await endpoint.request({})).rows.length
}

describe('a file as target', () => {
  it('is created by the first event, not by opening it', async () => {
    const path = targetPath()
    const endpoint = await openTarget(path)
    expect(existsSync(path)).toBe(false)
    expect(await endpoint.publish(one)).toEqual(WRITTEN)
    expect(readFileSync(path, 'utf8')).toBe(toJsonl([one]))
    expect(statSync(path).mode & 0o777).toBe(0o666 & ~process.umask())
  })

  it('keeps the order in which events in flight came', async () => {
    const path = targetPath()
    const endpoint = await openTarget(path)
    const answers = await publishAll(endpoint, events)
    expect(answers).toEqual(events.map(() => WRITTEN))
    expect(readFileSync(path, 'utf8')).toBe(toJsonl(events))
  })

  it('appends to what is there', async () => {
    const path = targetPath()
    writeFileSync(path, toJsonl([one]))
    const endpoint = await openTarget(path)
    await endpoint.publish(two)
    expect(readFileSync(path, 'utf8')).toBe(toJsonl([one, two]))
  })

  it('serves what was published', async () => {
    const endpoint = await openTarget(targetPath())
    await publishAll(endpoint, events)
    const page = await endpoint.request({ ids: events.map((event) => event.id) })
    expect(page.rows).toEqual(events.toReversed())
  })

  it('writes only the fields of an event', async () => {
    const path = targetPath()
    const endpoint = await openTarget(path)
    await endpoint.publish(Object.assign({ received_at: 5 }, one))
    expect(readFileSync(path, 'utf8')).toBe(toJsonl([one]))
  })

  it('answers duplicate for what it holds, from before or from this run', async () => {
    const path = targetPath()
    writeFileSync(path, toJsonl([one]))
    const endpoint = await openTarget(path)
    await endpoint.publish(two)
    expect(await publishAll(endpoint, [one, two])).toEqual([DUPLICATE, DUPLICATE])
    expect(readFileSync(path, 'utf8')).toBe(toJsonl([one, two]))
  })

  it('writes an event once that is published twice at the same time', async () => {
    const path = targetPath()
    const endpoint = await openTarget(path)
    expect(await publishAll(endpoint, [one, one])).toEqual([WRITTEN, DUPLICATE])
    expect(readFileSync(path, 'utf8')).toBe(toJsonl([one]))
  })

  it('takes the true event although a forged copy stands in the file (rule 4)', async () => {
    const path = targetPath()
    writeFileSync(path, toJsonl([{ ...one, sig: '0'.repeat(128) }]))
    const endpoint = await openTarget(path)
    expect(await endpoint.publish(one)).toEqual(WRITTEN)
  })

  it('leaves a torn last line a line of its own', async () => {
    const path = targetPath()
    const torn = JSON.stringify(one).slice(0, 50)
    writeFileSync(path, toJsonl([two]) + torn)
    const endpoint = await openTarget(path)
    expect(endpoint.brokenLines().examples).toEqual([{ line: 2, reason: 'not valid JSON' }])
    await endpoint.publish(one)
    await endpoint.publish(three)
    expect(readFileSync(path, 'utf8')).toBe(`${toJsonl([two])}${torn}\n${toJsonl([one, three])}`)
  })

  it('finishes what is in flight when it is closed', async () => {
    const path = targetPath()
    const endpoint = await openTarget(path)
    const answers = publishAll(endpoint, events)
    await endpoint.close()
    expect(await answers).toEqual(events.map(() => WRITTEN))
    expect(await linesOf(path)).toBe(3)
  })

  it('flushes, before and after the first event', async () => {
    const endpoint = await openTarget(targetPath())
    await endpoint.flush()
    await endpoint.publish(one)
    await expect(endpoint.flush()).resolves.toBeUndefined()
  })

  it('answers with the reason when it cannot write, and writes again once it can', async () => {
    const path = targetPath('later/target.jsonl')
    const directory = join(path, '..')
    mkdirSync(directory)
    const endpoint = await openTarget(path)
    rmSync(directory, { recursive: true })
    expect(await endpoint.publish(one)).toEqual({ type: 'ok', accepted: false, text: 'error: no such file' })
    expect((await endpoint.request({ ids: [one.id] })).rows).toEqual([])
    mkdirSync(directory)
    expect(await endpoint.publish(one)).toEqual(WRITTEN)
  })

  it('leaves an event unanswered that comes after the abort', async () => {
    const abort = new AbortController()
    const path = targetPath()
    const endpoint = await openTarget(path, { signal: abort.signal })
    abort.abort(new Error('interrupted'))
    expect(await endpoint.publish(one)).toEqual({ type: 'unanswered', reason: 'interrupted' })
    expect(existsSync(path)).toBe(false)
  })

  it('needs its directory', async () => {
    const path = targetPath('missing/target.jsonl')
    const directory = join(path, '..')
    const opening = makeEndpoint(path, { role: 'target' }).open()
    await expect(opening).rejects.toMatchObject({
      name: 'SyncError',
      message: `write events to ${path}: ${directory}: no such directory`,
      hint: `create ${directory} first`,
    })
  })

  it('is a regular file', async () => {
    const opening = makeEndpoint('/dev/null', { role: 'target' }).open()
    await expect(opening).rejects.toThrow('write events to /dev/null: it is not a regular file')
  })
})

describe('a gzip file as target', () => {
  const path = () => targetPath('target.jsonl.gz')

  it('grows by members that read back as one file', async () => {
    const file = path()
    for (const event of events) {
      const endpoint = await openTarget(file)
      expect(await endpoint.publish(event)).toEqual(WRITTEN)
      await endpoint.close()
    }
    expect(gunzipSync(readFileSync(file)).toString()).toBe(toJsonl(events))
    expect(await linesOf(file)).toBe(3)
  })

  it('shares a member between events in flight', async () => {
    const [alone, together] = [path(), path()]
    const one = await openTarget(alone)
    for (const event of events) await one.publish(event)
    await publishAll(await openTarget(together), events)
    expect(statSync(together).size).toBeLessThan(statSync(alone).size)
    expect(gunzipSync(readFileSync(together))).toEqual(gunzipSync(readFileSync(alone)))
  })

  it('is whole on disk whenever an event was answered', async () => {
    const file = path()
    const endpoint = await openTarget(file)
    await endpoint.publish(one)
    expect(gunzipSync(readFileSync(file)).toString()).toBe(toJsonl([one]))
  })

  it.each([1, 5, 12, 60])('is made whole when its last member has lost %i bytes', async (lost) => {
    const file = path()
    const whole = Buffer.concat([gzipSync(toJsonl([one])), gzipSync(toJsonl([two]))])
    writeFileSync(file, whole.subarray(0, -lost))
    const endpoint = await openTarget(file)
    expect(endpoint.brokenLines().examples.at(-1)?.reason).toBe('gzip data ends too early')
    await endpoint.publish(three)
    await endpoint.publish(two)
    await endpoint.close()
    const lines = gunzipSync(readFileSync(file)).toString()
    expect(lines).toContain(`\n${toJsonl([three])}`)
    expect(await linesOf(file)).toBe(3)
    expect(readdirSync(join(file, '..'))).toEqual(['target.jsonl.gz'])
  })

  it('is not touched by reading, even when it is cut off', async () => {
    const file = path()
    const cut = gzipSync(toJsonl([one])).subarray(0, -3)
    writeFileSync(file, cut)
    await (await openTarget(file)).close()
    expect(readFileSync(file)).toEqual(cut)
  })

  it('stays behind its symbolic link when it is made whole', async () => {
    const file = path()
    const link = `${file}.link.gz`
    writeFileSync(file, gzipSync(toJsonl([one])).subarray(0, -3))
    symlinkSync(file, link)
    await (await openTarget(link)).publish(two)
    expect(lstatSync(link).isSymbolicLink()).toBe(true)
    expect(gunzipSync(readFileSync(file)).toString()).toBe(toJsonl([one, two]))
  })

  it('takes no event when it is damaged, because nobody could read it', async () => {
    const file = path()
    writeFileSync(file, toJsonl([one]))
    const endpoint = await openTarget(file)
    expect(await endpoint.publish(two)).toMatchObject({ accepted: false, text: expect.stringContaining('is damaged') })
    expect(readFileSync(file, 'utf8')).toBe(toJsonl([one]))
  })
})

describe('standard output as target', () => {
  it('holds nothing at first and remembers what it wrote', async () => {
    const stdout = new PassThrough()
    const endpoint = await openTarget('-', { stdout })
    expect((await endpoint.request({})).rows).toEqual([])
    expect(await publishAll(endpoint, [one, two])).toEqual([WRITTEN, WRITTEN])
    expect(await endpoint.publish(one)).toEqual(DUPLICATE)
    expect((await endpoint.request({ ids: [two.id] })).rows).toEqual([two])
    expect(stdout.read().toString()).toBe(toJsonl([one, two]))
  })

  it('waits for a slow reader before it writes on', async () => {
    const waiting: (() => void)[] = []
    const stdout = new Writable({ highWaterMark: 1, write: (_chunk, _encoding, done) => void waiting.push(done) })
    const endpoint = await openTarget('-', { stdout })
    const first = endpoint.publish(one)
    await waitFor(() => waiting.length === 1)
    const second = endpoint.publish(two)
    await new Promise(setImmediate)
    expect(stdout.writableLength).toBe(Buffer.byteLength(toJsonl([one])))
    waiting.shift()?.()
    expect(await first).toEqual(WRITTEN)
    await waitFor(() => waiting.length === 1)
    waiting.shift()?.()
    expect(await second).toEqual(WRITTEN)
  })

  it('answers with an error once the reader is gone', async () => {
    const gone = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })
    const stdout = new Writable({ write: (_chunk, _encoding, done) => done(gone) })
    const endpoint = await openTarget('-', { stdout })
    const refused = { type: 'ok', accepted: false, text: 'error: the reader closed the pipe' }
    expect(await endpoint.publish(one)).toEqual(refused)
    expect(await endpoint.publish(two)).toEqual(refused)
  })

  it('does not wait for a reader that stands still when the run is aborted', async () => {
    const abort = new AbortController()
    const stdout = new Writable({ write() {} })
    const endpoint = await openTarget('-', { stdout, signal: abort.signal })
    const answer = endpoint.publish(one)
    await waitFor(() => stdout.writableLength > 0)
    abort.abort(new Error('interrupted'))
    expect(await answer).toEqual({ type: 'unanswered', reason: 'interrupted' })
    await endpoint.close()
  })

  it('stays open when the endpoint is closed', async () => {
    const stdout = new PassThrough()
    await (await openTarget('-', { stdout })).close()
    expect(stdout.writable).toBe(true)
  })
})

async function waitFor(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(setImmediate)
}
