import { describe, expect, it } from 'vitest'
import { exitCodeOf } from '../../src/cli/exit-codes.ts'
import { renderError } from '../../src/cli/render/render-error.ts'
import { LockedError, SyncError, UsageError } from '../../src/errors.ts'

describe('renderError', () => {
  it('shows message, cause and hint of a SyncError', () => {
    const cause = new Error('file is not a database')
    const error = new SyncError('read state ./state.db', { cause, hint: 'move the file away, or give another --state' })
    expect(renderError(error)).toBe(
      'error: read state ./state.db\ncause: file is not a database\nhint: move the file away, or give another --state\n',
    )
  })

  it('does not repeat a cause that the message already tells', () => {
    const error = new SyncError('read state ./state.db: disk full', { cause: new Error('disk full') })
    expect(renderError(error)).toBe('error: read state ./state.db: disk full\n')
  })

  it('ends on causes that go in a circle', () => {
    const first = new SyncError('first')
    const second = new SyncError('second', { cause: first })
    Object.assign(first, { cause: second })
    expect(renderError(first).length).toBeLessThan(50_000)
  })

  it('shows every problem of a UsageError and where the help is', () => {
    expect(renderError(new UsageError(['no source', 'no target']), 'catchup')).toBe(
      'error: no source\nerror: no target\nsee ngit-sync catchup --help\n',
    )
    expect(renderError(new UsageError(['no command']))).toContain('see ngit-sync --help')
  })

  it('shows who holds the lock', () => {
    expect(renderError(new LockedError('wss://git.example is locked by process 4711'))).toBe(
      'error: wss://git.example is locked by process 4711\n',
    )
  })

  it('escapes what it prints, and takes anything that is thrown', () => {
    expect(renderError(new Error('\u001b[2J'))).toBe('error: \\x1b[2J\n')
    expect(renderError('text')).toBe('error: text\n')
    expect(renderError(undefined)).toBe('error: undefined\n')
  })
})

describe('exitCodeOf', () => {
  it.each([
    [new SyncError('x'), 1],
    [new Error('x'), 1],
    ['x', 1],
    [new UsageError(['x']), 2],
    [new LockedError('x'), 4],
  ])('%s: %i', (thrown, code) => {
    expect(exitCodeOf(thrown)).toBe(code)
  })
})
