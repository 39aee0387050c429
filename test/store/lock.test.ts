import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { describe, expect, it, onTestFinished } from 'vitest'

import { LockedError, SyncError } from '../../src/errors.ts'
import { acquireLock, findLockHolder } from '../../src/store/lock.ts'
import { startNode, type Child } from '../support/child.ts'
import { temporaryDirectory } from '../support/temporary-state.ts'
import { waitFor } from '../support/wait-for.ts'

const TARGET = 'wss://target.example'
const HOLDER = { pid: 123, host: 'here', startedAt: 1_750_000_000 }
const MODULE = fileURLToPath(new URL('../../dist/store/lock.js', import.meta.url))

function stateFile(): string {
  return join(temporaryDirectory(), 'state', 'state.db')
}

/** Another process that holds the lock until it is killed, although it has let go of the object. */
async function lockElsewhere(file: string): Promise<Child> {
  const holder = `{ pid: process.pid, host: 'there', startedAt: 1 }`
  const program = `
    import { acquireLock } from ${JSON.stringify(MODULE)}
    acquireLock(${JSON.stringify(file)}, ${JSON.stringify(TARGET)}, ${holder})
    globalThis.gc()
    console.log('locked')
    setInterval(() => undefined, 1_000)`
  const child = startNode(['--expose-gc', '--input-type=module', '--eval', program], { env: process.env })
  onTestFinished(() => child.kill('SIGKILL'))
  await waitFor(() => child.hasExited() || child.stdout().includes('locked'))
  expect(child.stderr()).toBe('')
  return child
}

describe('acquireLock', () => {
  it('excludes a second one', () => {
    const file = stateFile()
    const lock = acquireLock(file, TARGET, HOLDER)
    onTestFinished(() => lock.release())
    expect(() => acquireLock(file, TARGET, HOLDER)).toThrow(LockedError)
    expect(() => acquireLock(file, TARGET, HOLDER)).toThrow(
      'wss://target.example is being synchronised by process 123 on here, since 2025-06-15T15:06:40.000Z',
    )
  })

  it('excludes another process, and says which', async () => {
    const file = stateFile()
    const child = await lockElsewhere(file)
    expect(() => acquireLock(file, TARGET, HOLDER)).toThrow(`by process ${child.pid} on there`)
  })

  it('is free as soon as its process was killed with SIGKILL', async () => {
    const file = stateFile()
    const child = await lockElsewhere(file)
    child.kill('SIGKILL')
    expect((await child.exited).signal).toBe('SIGKILL')
    acquireLock(file, TARGET, HOLDER).release()
  })

  it('is free after it was released', () => {
    const file = stateFile()
    acquireLock(file, TARGET, HOLDER).release()
    acquireLock(file, TARGET, HOLDER).release()
  })

  it('is one per target', () => {
    const file = stateFile()
    const locks = [TARGET, 'wss://other.example'].map((target) => acquireLock(file, target, HOLDER))
    for (const lock of locks) lock.release()
  })

  it('makes private files with names that show nothing of the target', () => {
    const umask = process.umask(0)
    onTestFinished(() => void process.umask(umask))
    const file = stateFile()
    const lock = acquireLock(file, 'wss://target.example/../\u202e', HOLDER)
    onTestFinished(() => lock.release())
    const directory = join(dirname(file), 'locks')
    const found = readdirSync(directory).map((name) => [
      name,
      (statSync(join(directory, name)).mode & 0o777).toString(8),
    ])
    expect((statSync(directory).mode & 0o777).toString(8)).toBe('700')
    expect(found.map(([, mode]) => mode)).toEqual(found.map(() => '600'))
    for (const [name] of found) expect(name).toMatch(/^[0-9a-f]{16}\.lock(\.json|-journal)?$/)
  })

  it('says what cannot be locked', () => {
    const file = stateFile()
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(join(dirname(file), 'locks'), 'a file')
    expect(() => acquireLock(file, TARGET, HOLDER)).toThrow(SyncError)
  })
})

describe('findLockHolder', () => {
  it('knows nobody where nobody ever was', () => {
    const file = stateFile()
    expect(findLockHolder(file, TARGET)).toBeUndefined()
  })

  it('knows who holds it', async () => {
    const file = stateFile()
    const child = await lockElsewhere(file)
    expect(findLockHolder(file, TARGET)).toEqual({ pid: child.pid, host: 'there', startedAt: 1 })
  })

  it('does not believe what a dead one left behind', async () => {
    const file = stateFile()
    const child = await lockElsewhere(file)
    child.kill('SIGKILL')
    await child.exited
    expect(findLockHolder(file, TARGET)).toBeUndefined()
  })

  it('does not keep others from locking', () => {
    const file = stateFile()
    acquireLock(file, TARGET, HOLDER).release()
    findLockHolder(file, TARGET)
    acquireLock(file, TARGET, HOLDER).release()
  })
})
