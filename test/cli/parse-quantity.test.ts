import { describe, expect, it } from 'vitest'
import {
  parseBytes,
  parseDurationMs,
  parseDurationSeconds,
  parseInteger,
  parseIntervalSeconds,
  parseRate,
  parseRunDurationMs,
  parseTimeoutMs,
} from '../../src/cli/parse/parse-quantity.ts'

describe('parseDurationMs', () => {
  it.each([
    ['500ms', 500],
    ['10s', 10_000],
    ['1.5s', 1500],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['30d', 2_592_000_000],
    ['0', 0],
  ])('reads %s', (text, expected) => {
    expect(parseDurationMs(text)).toEqual({ type: 'ok', value: expected })
  })

  it.each(['', '10', '5 m', '-1s', '1M', 'm', '1e3s', 'Infinity'])('refuses "%s"', (text) => {
    expect(parseDurationMs(text).type).toBe('wrong')
  })
})

describe('parseDurationSeconds', () => {
  it('rounds up: an overlap must not get shorter', () => {
    expect(parseDurationSeconds('1500ms')).toEqual({ type: 'ok', value: 2 })
  })
})

describe('parseTimeoutMs', () => {
  it.each(['0', '0s', '2d', 'never'])('refuses %s', (text) => {
    expect(parseTimeoutMs(text).type).toBe('wrong')
  })
})

describe('parseRunDurationMs', () => {
  it('takes what a timer can hold', () => {
    expect(parseRunDurationMs('50m')).toEqual({ type: 'ok', value: 3_000_000 })
    expect(parseRunDurationMs('24d').type).toBe('ok')
    for (const text of ['0', '25d', 'never', '50']) expect(parseRunDurationMs(text).type).toBe('wrong')
  })
})

describe('parseRate', () => {
  it.each([
    ['60/m', 1_000],
    ['1/s', 1_000],
    ['20/s', 50],
    ['10/h', 360_000],
  ])('reads %s as one event after the other', (text, intervalMs) => {
    expect(parseRate(text)).toEqual({ type: 'ok', value: { burst: 1, intervalMs } })
  })

  it('reads none', () => expect(parseRate('None')).toEqual({ type: 'ok', value: 'none' }))

  it.each(['', '60', '0/s', '-1/s', '1.5/s', '60/d', '60 / m', '/m'])('refuses "%s"', (text) => {
    expect(parseRate(text).type).toBe('wrong')
  })
})

describe('parseIntervalSeconds', () => {
  it('reads never as Infinity', () => {
    expect(parseIntervalSeconds('never')).toEqual({ type: 'ok', value: Infinity })
    expect(parseIntervalSeconds('24h')).toEqual({ type: 'ok', value: 86_400 })
    expect(parseIntervalSeconds('sometimes').type).toBe('wrong')
  })
})

describe('parseBytes', () => {
  it.each([
    ['500MB', 500_000_000],
    ['2GiB', 2_147_483_648],
    ['2gib', 2_147_483_648],
    ['1.5 kB', 1500],
    ['64KiB', 65_536],
    ['1000000', 1_000_000],
    ['7B', 7],
  ])('reads %s', (text, expected) => {
    expect(parseBytes(text)).toEqual({ type: 'ok', value: expected })
  })

  it.each(['', '0', '2G', '-1MB', 'GiB', '9999999999TB', '1,000'])('refuses "%s"', (text) => {
    expect(parseBytes(text).type).toBe('wrong')
  })
})

describe('parseInteger', () => {
  it('takes whole numbers between the bounds, both included', () => {
    const parse = parseInteger({ min: 0, max: 100 })
    expect(parse('0')).toEqual({ type: 'ok', value: 0 })
    expect(parse('100')).toEqual({ type: 'ok', value: 100 })
    for (const text of ['101', '-1', '1.5', '', '0x10', ' 1']) expect(parse(text).type).toBe('wrong')
  })
})
