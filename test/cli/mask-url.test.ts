import { describe, expect, it } from 'vitest'

import { maskUrls } from '../../src/cli/mask-url.ts'
import { renderError } from '../../src/cli/render/render-error.ts'
import { renderJson } from '../../src/cli/render/render-json.ts'
import { SyncError } from '../../src/errors.ts'
import { report } from './reports.ts'

describe('maskUrls (no false green #22)', () => {
  it.each([
    ['wss://relay.one', 'wss://relay.one'],
    ['read wss://relay.one/x?token=s3cret: closed', /^read wss:\/\/relay\.one\/x\?…[0-9a-f]{4}: closed$/],
    ['a "ws://h?x=1" and (wss://i/?y=2).', /^a "ws:\/\/h\?….{4}" and \(wss:\/\/i\/\?….{4}\)\.$/],
    ['wss:/relay.one?token=s3cret', /^wss:\/relay\.one\?…/],
    ['https://me:pass@host/x', 'https://…@host/x'],
    ['wss://me@host?x=1', /^wss:\/\/…@host\?…/],
    ['is it wss://relay.one?', 'is it wss://relay.one?'],
    ['what? no URL', 'what? no URL'],
  ])('leaves no secret in %s', (text, expected) => {
    const masked = maskUrls(text)
    if (typeof expected === 'string') expect(masked).toBe(expected)
    else expect(masked).toMatch(expected)
    expect(masked).not.toMatch(/s3cret|pass/)
  })

  it('keeps two URLs apart that differ in their query', () => {
    expect(maskUrls('wss://h?a=1')).not.toBe(maskUrls('wss://h?a=2'))
  })

  it('takes time in proportion to the text', () => {
    const startedAt = performance.now()
    maskUrls('ws://?'.repeat(200_000))
    maskUrls('ws://'.repeat(200_000))
    expect(performance.now() - startedAt).toBeLessThan(2_000)
  })

  it('is applied to errors and to JSON', () => {
    const url = 'wss://relay.one/?token=s3cret'
    expect(renderError(new SyncError(`connect to ${url}: refused`, { hint: `try ${url}` }))).not.toContain('s3cret')
    expect(renderJson(report({ target: url, notes: [`${url} is slow`] }))).not.toContain('s3cret')
  })
})
