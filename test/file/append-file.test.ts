import { describe, expect, it } from 'vitest'
import { AppendFile, type AppendHandle } from '../../src/file/append-file.ts'
import { temporaryDirectory } from '../support/temporary-state.ts'

/** A disk with room for `room` bytes that writes at most 4 of them at once. */
class SmallDisk implements AppendHandle {
  content = Buffer.alloc(0)
  room: number
  canTruncate = true

  constructor(room: number) {
    this.room = room
  }

  async write(bytes: Buffer, offset: number, length: number): Promise<{ bytesWritten: number }> {
    const bytesWritten = Math.min(length, 4, this.room - this.content.length)
    if (bytesWritten === 0) throw Object.assign(new Error('write'), { code: 'ENOSPC' })
    this.content = Buffer.concat([this.content, bytes.subarray(offset, offset + bytesWritten)])
    return { bytesWritten }
  }

  async stat(): Promise<{ size: number }> {
    return { size: this.content.length }
  }

  async truncate(size: number): Promise<void> {
    if (!this.canTruncate) throw new Error('truncate')
    this.content = this.content.subarray(0, size)
  }

  async sync(): Promise<void> {
    if (this.room === 0) throw Object.assign(new Error('fsync'), { code: 'EIO' })
  }

  async close(): Promise<void> {}
}

const TEN = Buffer.from('123456789\n')

describe('AppendFile', () => {
  it('goes on until every byte is written', async () => {
    const disk = new SmallDisk(100)
    await new AppendFile('x.jsonl', disk).append(TEN)
    expect(disk.content).toEqual(TEN)
  })

  it('takes half a write back, and writes again when there is room', async () => {
    const disk = new SmallDisk(15)
    const file = new AppendFile('x.jsonl', disk)
    await file.append(TEN)
    await expect(file.append(TEN)).rejects.toMatchObject({ code: 'ENOSPC' })
    expect(disk.content).toEqual(TEN)
    disk.room = 100
    await file.append(TEN)
    expect(disk.content).toEqual(Buffer.concat([TEN, TEN]))
  })

  it('writes nothing behind half a write that could not be taken back', async () => {
    const disk = new SmallDisk(5)
    const file = new AppendFile('x.jsonl', disk)
    disk.canTruncate = false
    await expect(file.append(TEN)).rejects.toMatchObject({ code: 'ENOSPC' })
    disk.room = 100
    await expect(file.append(TEN)).rejects.toThrow('x.jsonl failed half way and could not be taken back')
    expect(disk.content).toHaveLength(5)
  })

  it('throws when the disk does not confirm', async () => {
    const path = `${temporaryDirectory()}/x.jsonl`
    const file = new AppendFile(path, new SmallDisk(0))
    await expect(file.sync()).rejects.toMatchObject({ name: 'SyncError', message: `flush ${path}: fsync` })
  })
})
