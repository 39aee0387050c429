import { describe, expect, it } from 'vitest'
import { isSameEndpoint, parseEndpoint, parseService } from '../../src/cli/parse-endpoint.ts'

describe('parseEndpoint', () => {
  it.each([
    ['wss://Relay.Example:443/', 'wss://relay.example'],
    ['WS://localhost:7443', 'ws://localhost:7443'],
    ['wss://relay.example/path/#x', 'wss://relay.example/path'],
    ['-', '-'],
    ['./events.jsonl', 'events.jsonl'],
    ['/var/backup/a b.jsonl', '/var/backup/a b.jsonl'],
    ['relay.example', 'relay.example'],
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
  ])('%s and %s: %s', (a, b, expected) => {
    expect(isSameEndpoint(a, b)).toBe(expected)
  })
})
