import { describe, expect, it } from 'vitest'
import { formatEventLine, parseEventLine } from '../../src/file/event-line.ts'
import { buildEvent } from './build-event.ts'

const event = buildEvent('one', { tags: [['a', '30617:x:y'], ['-']], content: 'a "quote", \n and ü' })
const json = JSON.stringify(event)

const parse = (text: string) => parseEventLine(Buffer.from(text))

describe('parseEventLine', () => {
  it.each([
    ['a plain event', json],
    ['a relay message of a client', `["EVENT",${json}]`],
    ['a relay message of a relay', `["EVENT","sub",${json}]`],
    ['a byte order mark', `\uFEFF${json}`],
    ['the CR of a CRLF', `${json}\r`],
    ['space around it', `  ${json}\t`],
    ['fields beyond those of NIP-01', JSON.stringify({ ...event, received_at: 5, relays: ['x'] })],
  ])('reads %s', (_, text) => {
    expect(parse(text)).toEqual({ type: 'event', event })
  })

  it.each(['', ' ', '\r', '\uFEFF'])('sees %j as blank', (text) => {
    expect(parse(text)).toEqual({ type: 'blank' })
  })

  it.each([
    ['a torn line', json.slice(0, 40), 'not valid JSON'],
    ['two events in one line', json + json, 'not valid JSON'],
    ['an event without a signature', JSON.stringify({ ...event, sig: undefined }), 'not an event (NIP-01)'],
    ['an upper-case id', JSON.stringify({ ...event, id: event.id.toUpperCase() }), 'not an event (NIP-01)'],
    ['another message', '["EOSE","sub"]', 'not an event (NIP-01)'],
    ['an array of events', `[${json}]`, 'not an event (NIP-01)'],
    ['null', 'null', 'not an event (NIP-01)'],
    ['deep nesting', '['.repeat(1_000_000), 'not valid JSON'],
  ])('calls %s broken', (_, text, reason) => {
    expect(parse(text)).toEqual({ type: 'broken', reason })
  })

  it('calls bytes that are not UTF-8 broken, even inside a string', () => {
    const bytes = Buffer.from(json.replace('quote', '\u00ff'), 'latin1')
    expect(parseEventLine(bytes)).toEqual({ type: 'broken', reason: 'not valid UTF-8' })
  })
})

describe('formatEventLine', () => {
  it('writes what parseEventLine reads', () => {
    expect(parse(formatEventLine(event))).toEqual({ type: 'event', event })
  })

  it('writes equal events alike, whatever the order of their fields', () => {
    const reversed = Object.fromEntries(Object.entries(event).reverse())
    expect(parse(JSON.stringify(reversed))).toEqual({ type: 'event', event })
    expect(formatEventLine({ ...event, content: event.content })).toBe(formatEventLine(event))
  })
})
