import { describe, expect, it } from 'vitest'
import { isSameEndpoint, parseEndpoint, parseRelay, parseService } from '../../src/cli/parse/parse-endpoint.ts'

describe('parseEndpoint', () => {
  it.each([
    ['wss://Relay.Example:443/', 'wss://relay.example'],
    ['WS://localhost:7443', 'ws://localhost:7443'],
    ['wss://relay.example/path/#x', 'wss://relay.example/path'],
    ['-', '-'],
    ['./events.jsonl', 'events.jsonl'],
    ['/var/backup/a b.jsonl', '/var/backup/a b.jsonl'],
    ['./relay.example', 'relay.example'],
    ['backup', 'backup'],
    ['relay.one.jsonl.gz', 'relay.one.jsonl.gz'],
    ['package.json', 'package.json'],
    ['vitest.config.ts', 'vitest.config.ts'],
  ])('reads %s', (text, expected) => {
    expect(parseEndpoint(text)).toEqual({ type: 'ok', value: expected })
  })

  it.each([
    ['https://relay.example', 'is not a relay: give wss://…'],
    ['http://localhost:7443', 'is not a relay: give ws://…'],
    ['ftp://relay.example', 'is not a relay: give a ws:// or wss:// URL, or a file name'],
    ['wss://', 'is not a relay URL: give for example wss://relay.example.org'],
    ['wss://a b', 'is not a relay URL: give for example wss://relay.example.org'],
  ])('refuses %s', (text, problem) => {
    expect(parseEndpoint(text)).toEqual({ type: 'wrong', problem, secret: false })
  })

  it.each(['wss://me:secret@relay.example', 'https://me:secret@relay.example', 'ws://me@localhost'])(
    'does not repeat %s, which may hold a password',
    (text) => {
      expect(parseEndpoint(text)).toMatchObject({ type: 'wrong', secret: true })
    },
  )
})

describe('a slip of the finger in a relay URL (no false green #20)', () => {
  it.each([
    ['relay.one', 'wss://relay.one'],
    ['relay.one:7443', 'wss://relay.one:7443'],
    ['Relay.One.', 'wss://relay.one'],
    ['relay.one:7443/x', 'wss://relay.one:7443/x'],
    ['localhost:7443', 'ws://localhost:7443'],
    ['127.0.0.1:7443/x', 'ws://127.0.0.1:7443/x'],
    ['[::1]:7443', 'ws://[::1]:7443'],
    ['wss:/relay.one', 'wss://relay.one'],
    ['wss:relay.one', 'wss://relay.one'],
    ['ws:/relay.one/path', 'ws://relay.one/path'],
    ['wss//relay.one', 'wss://relay.one'],
    ['wss;//relay.one', 'wss://relay.one'],
    ['://relay.one', 'wss://relay.one'],
    ['//relay.one', 'wss://relay.one'],
    ['http:/relay.one', 'ws://relay.one'],
  ])('is answered with what is meant: %s', (text, meant) => {
    for (const parsed of [parseEndpoint(text), parseRelay(text)]) {
      expect(parsed).toEqual({
        type: 'wrong',
        problem: `is not a relay URL, and no file of that name is there: give ${meant}, or ./… for a file`,
        secret: false,
      })
    }
  })

  it.each(['wss:/relay.one?token=x', 'relay.one:80/?token=x', 'wss//me:secret@relay.one', 'http://h/?token=x'])(
    'is not repeated where it may hold a secret: %s',
    (text) => {
      expect(parseEndpoint(text)).toMatchObject({ type: 'wrong', secret: true })
      expect(parseEndpoint(text)).not.toMatchObject({ problem: expect.stringMatching(/token|secret@/) as string })
    },
  )
})

describe('parseService', () => {
  it.each([
    ['wss://git.example.org/', 'wss://git.example.org'],
    ['https://git.example.org', 'wss://git.example.org'],
    ['http://git.example.org:8080', 'ws://git.example.org:8080'],
    ['https://git.example.org/grasp/', 'wss://git.example.org/grasp'],
  ])('reads %s as a relay URL', (text, expected) => {
    expect(parseService(text)).toEqual({ type: 'ok', value: expected })
  })

  it.each(['git.example.org', 'ftp://git.example.org', 'https://me@git.example.org', 'wss://'])(
    'refuses %s',
    (text) => {
      expect(parseService(text).type).toBe('wrong')
    },
  )
})

describe('isSameEndpoint', () => {
  it.each([
    ['wss://a', 'wss://a', true],
    ['wss://a', 'wss://b', false],
    ['a.jsonl', `${process.cwd()}/a.jsonl`, true],
    ['a.jsonl', 'b.jsonl', false],
    ['-', '-', false],
    ['ws://localhost:7443', 'ws://127.0.0.1:7443', true],
    ['ws://127.9.9.9:7443/x', 'ws://[::1]:7443/x', true],
    ['ws://[::ffff:7f00:1]', 'ws://localhost', true],
    ['ws://localhost:7443', 'ws://localhost:7444', false],
    ['ws://localhost.example', 'ws://localhost', false],
    ['wss://a?b=1', 'wss://a?b=2', false],
  ])('says of %s and %s: %s', (a, b, expected) => {
    expect(isSameEndpoint(a, b)).toBe(expected)
  })
})
