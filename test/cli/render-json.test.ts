import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { jsonPieces, renderJson } from '../../src/cli/render/render-json.ts'
import { toolVersion } from '../../src/cli/tool-version.ts'
import type { Report } from '../../src/report/report.ts'
import { CHECKED, COPIES, report } from './reports.ts'

const NAME = fc.string().filter((name) => name !== 'version')

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

  it('gives what JSON.stringify gives, although in pieces', () => {
    fc.assert(
      fc.property(fc.dictionary(NAME, fc.option(fc.jsonValue(), { nil: undefined })), (fields) => {
        const expected = JSON.stringify({ version: 1, toolVersion: toolVersion(), ...fields })
        expect(renderJson({ version: 1, ...fields } as unknown as Report)).toBe(`${expected}\n`)
      }),
    )
  })

  it('prints a list that lies on disk as an array, to the byte, one entry after the other', () => {
    const ids = ['ab'.repeat(32), 'cd'.repeat(32)]
    const withLists = (ofIds: Iterable<string>, list: NonNullable<typeof COPIES.list>): Report => ({
      ...CHECKED,
      check: CHECKED.check && { ...CHECKED.check, ids: ofIds, copies: { ...COPIES, list } },
    })
    const scarce = COPIES.list ?? []
    const onDisk = withLists(new Set(ids), new Set(scarce))
    expect(renderJson(onDisk)).toBe(renderJson(withLists(ids, [...scarce])))
    expect([...jsonPieces(onDisk)]).toEqual(expect.arrayContaining([`["${ids[0]}"`, `,"${ids[1]}"`]))
    expect(renderJson(withLists(new Set(), new Set()))).toBe(renderJson(withLists([], [])))
  })
})
