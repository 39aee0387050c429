import { describe, expect, it } from 'vitest'
import { renderJson } from '../../src/cli/render/render-json.ts'
import { report } from './reports.ts'

describe('renderJson', () => {
  it('ends with a newline and has no other', () => {
    expect(renderJson(report({ notes: ['a\nb'] }))).toMatch(/^[^\n]*\n$/)
  })

  it('escapes controls, separators, bidi and zero-width characters, as JSON readers understand them', () => {
    const note = '\u0007 \u007f \u0085 \u200b \u2028 \u2029 \u202e \u2066 \ufeff \u{e0041} 世 🚀'
    const text = renderJson(report({ notes: [note] }))
    expect(text).toContain(
      String.raw`\u0007 \u007f \u0085 \u200b \u2028 \u2029 \u202e \u2066 \ufeff \udb40\udc41 世 🚀`,
    )
    expect(JSON.parse(text)).toMatchObject({ notes: [note] })
  })
})
