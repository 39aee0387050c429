import { chmodSync, existsSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openEventOutput, type EventOutput } from '../../src/file/event-output.ts'
import { buildEvents, toJsonl } from './build-event.ts'
import { temporaryDirectory } from '../support/temporary-state.ts'

const events = buildEvents(5_000)
const { signal } = new AbortController()

async function open(path: string, stdout: NodeJS.WritableStream = new PassThrough()): Promise<EventOutput> {
  const output = await openEventOutput(path, { stdout, signal })
  onTestFinished(() => output.discard())
  return output
}

async function writeAll(output: EventOutput, written = events): Promise<void> {
  for (const event of written) await output.write(event)
}

const newPath = (name = 'missing.jsonl') => join(temporaryDirectory(), name)

describe('an output of events', () => {
  it('is a file with one event a line, in the order in which they came', async () => {
    const path = newPath()
    const output = await open(path)
    await writeAll(output)
    await output.finish()
    expect(readFileSync(path, 'utf8')).toBe(toJsonl(events))
  })

  it.each([[0], [5_000]])('is compressed when its name ends in .gz, with %i events', async (count) => {
    const path = newPath('missing.jsonl.gz')
    const output = await open(path)
    await writeAll(output, events.slice(0, count))
    await output.finish()
    expect(gunzipSync(readFileSync(path)).toString()).toBe(toJsonl(events.slice(0, count)))
  })

  it('replaces what was there, and is an empty file without events', async () => {
    const path = newPath()
    writeFileSync(path, 'old\n')
    const output = await open(path)
    await output.finish()
    expect(readFileSync(path, 'utf8')).toBe('')
  })

  it('leaves what was there, and nothing else, when it is not finished', async () => {
    const path = newPath()
    writeFileSync(path, 'old\n')
    const output = await open(path)
    await writeAll(output)
    await output.discard()
    expect(readFileSync(path, 'utf8')).toBe('old\n')
    expect(readdirSync(dirname(path))).toEqual(['missing.jsonl'])
  })

  it('leaves nothing beside the file when it is finished', async () => {
    const path = newPath()
    const output = await open(path)
    await output.finish()
    await output.discard()
    expect(readdirSync(dirname(path))).toEqual(['missing.jsonl'])
  })

  it('writes where a symbolic link leads', async () => {
    const [path, link] = [newPath(), newPath('link.jsonl')]
    writeFileSync(path, 'old\n')
    symlinkSync(path, link)
    const output = await open(link)
    await writeAll(output, events.slice(0, 1))
    await output.finish()
    expect(readlinkSync(link)).toBe(path)
    expect(readFileSync(path, 'utf8')).toBe(toJsonl(events.slice(0, 1)))
  })

  it('is standard output for -, at the pace of its reader', async () => {
    const stdout = new PassThrough({ highWaterMark: 1 })
    const output = await open('-', stdout)
    const reading = stdout.toArray()
    await writeAll(output)
    await output.finish()
    stdout.end()
    expect(Buffer.concat((await reading) as Buffer[]).toString()).toBe(toJsonl(events))
  })
})

describe('an output that cannot be written', () => {
  it.each([
    ['a directory that is missing', () => join(temporaryDirectory(), 'missing', 'file.jsonl'), /no such directory/],
    ['a directory', () => temporaryDirectory(), /it is not a regular file/],
    ['a device', () => '/dev/null', /it is not a regular file/],
  ])('fails at once for %s', async (_what, path, reason) => {
    await expect(open(path())).rejects.toThrow(reason)
  })

  it.skipIf(process.getuid?.() === 0)('fails at once in a directory without permission', async () => {
    const path = newPath()
    chmodSync(dirname(path), 0o500)
    await expect(open(path)).rejects.toThrow(`write events to ${path}: permission denied`)
  })

  it('fails with the reason of the stream, by its name', async () => {
    const closed = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })
    const stdout = new Writable({ write: (_chunk, _encoding, done) => done(closed) })
    const output = await open('-', stdout)
    await output.write(events[0] ?? expect.fail())
    await expect(output.finish()).rejects.toThrow('write events to standard output: the reader closed the pipe')
  })

  it('fails with the reason of an abort, when a reader stands still', async () => {
    const controller = new AbortController()
    const stdout = new Writable({ write: () => undefined })
    const output = await openEventOutput('-', { stdout, signal: controller.signal })
    const finished = output.finish()
    controller.abort(new Error('interrupted'))
    await expect(finished).rejects.toThrow('interrupted')
    expect(existsSync('-')).toBe(false)
  })
})
