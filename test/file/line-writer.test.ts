import { describe, expect, it } from 'vitest'
import type { LineSink } from '../../src/file/line-sink.ts'
import { LineWriter } from '../../src/file/line-writer.ts'

/** Remembers each write; while `failure` is set, writes fail with it. */
class RecordingSink implements LineSink {
  readonly writes: string[] = []
  readonly calls: string[] = []
  failure: Error | undefined

  async write(lines: Buffer): Promise<void> {
    if (this.failure !== undefined) throw this.failure
    this.writes.push(lines.toString())
  }

  async flush(): Promise<void> {
    this.calls.push(`flush after ${this.writes.length}`)
    if (this.failure !== undefined) throw this.failure
  }

  async close(): Promise<void> {
    this.calls.push('close')
  }
}

describe('LineWriter', () => {
  it('writes the lines of one moment at once, in order', async () => {
    const sink = new RecordingSink()
    const writer = new LineWriter(sink)
    await Promise.all([writer.append('a'), writer.append('b')])
    await writer.append('c')
    expect(sink.writes).toEqual(['a\nb\n', 'c\n'])
  })

  it('writes at most 1 MiB at once, but a longer line whole', async () => {
    const sink = new RecordingSink()
    const writer = new LineWriter(sink)
    const long = 'x'.repeat(2 * 1024 * 1024)
    await Promise.all([long, 'a', 'b', long, 'c'].map((line) => writer.append(line)))
    expect(sink.writes.map((write) => write.length)).toEqual([long.length + 1, 4, long.length + 1, 2])
  })

  it('rejects the lines of a failed write only', async () => {
    const sink = new RecordingSink()
    const writer = new LineWriter(sink)
    sink.failure = new Error('full')
    await expect(writer.append('a')).rejects.toThrow('full')
    sink.failure = undefined
    await writer.append('b')
    expect(sink.writes).toEqual(['b\n'])
  })

  it('writes what waits before it flushes and closes', async () => {
    const sink = new RecordingSink()
    const writer = new LineWriter(sink)
    const appended = writer.append('a')
    await writer.close()
    await appended
    expect(sink.calls).toEqual(['flush after 1', 'close'])
  })

  it('closes the sink even when flushing fails', async () => {
    const sink = new RecordingSink()
    sink.failure = new Error('lost')
    await expect(new LineWriter(sink).close()).rejects.toThrow('lost')
    expect(sink.calls).toEqual(['flush after 0', 'close'])
  })
})
