import { describe, expect, expectTypeOf, it } from 'vitest'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { renderJson } from '../../src/cli/render/render-json.ts'
import { toolVersion } from '../../src/cli/tool-version.ts'
import { buildJsonSchema, reportSchema } from '../support/report-schema.ts'
import type { Report } from '../../src/report/report.ts'
import { CHECKED, DOOR, DRY_BACKFILL, HELD_BACK, PARTIAL, REPAIRED, report } from './reports.ts'

const REPORTS = [report({}), CHECKED, HELD_BACK, PARTIAL, REPAIRED, DRY_BACKFILL, DOOR]

/** A list that lies on disk is printed as an array. */
type Printed<T> = T extends string
  ? T
  : T extends Iterable<infer Each>
    ? readonly Printed<Each>[]
    : { readonly [Name in keyof T]: Printed<T[Name]> }

describe('reportSchema', () => {
  it('has exactly the type Report', () => {
    type Whole = Printed<Report & { readonly toolVersion: string }>
    expectTypeOf<z.infer<typeof reportSchema>>().toExtend<Whole>()
    expectTypeOf<Whole>().toExtend<z.infer<typeof reportSchema>>()
  })

  it.each(REPORTS)('accepts what --json prints', (document) => {
    expect(reportSchema.parse(JSON.parse(renderJson(document)))).toEqual({ ...document, toolVersion: toolVersion() })
  })

  it('refuses a field that it does not know, and one that is missing', () => {
    const whole = { ...PARTIAL, toolVersion: '1' }
    expect(reportSchema.safeParse(whole).success).toBe(true)
    expect(reportSchema.safeParse({ ...whole, more: 1 }).success).toBe(false)
    expect(reportSchema.safeParse({ ...whole, exit: undefined }).success).toBe(false)
  })
})

describe('report.schema.json', () => {
  const file = new URL('../../report.schema.json', import.meta.url)

  it('is what the schema of the tests gives (npm run schema writes it)', async () => {
    await expect(`${JSON.stringify(buildJsonSchema(), null, 2)}\n`).toMatchFileSnapshot(fileURLToPath(file))
  })

  describe('read as a program does that has only the file', () => {
    const published = () => z.fromJSONSchema(JSON.parse(readFileSync(file, 'utf8')))

    it.each(REPORTS)('accepts what --json prints', (document) => {
      expect(published().parse(JSON.parse(renderJson(document)))).toEqual({ ...document, toolVersion: toolVersion() })
    })

    it('accepts what --json prints when the program fails', () => {
      const text = renderJson({ version: 1, exit: 4, error: 'locked', hint: null })
      expect(published().parse(JSON.parse(text))).toMatchObject({ exit: 4, hint: null })
    })

    it('accepts a field that a later program adds', () => {
      expect(published().safeParse({ ...PARTIAL, toolVersion: '1', more: 1 }).success).toBe(true)
    })

    it.each([
      ['a field that is missing', { ...PARTIAL, toolVersion: '1', exit: undefined }],
      ['a field of another type', { ...PARTIAL, toolVersion: '1', complete: 'yes' }],
      [
        'an outcome that there is not',
        { ...PARTIAL, toolVersion: '1', layers: [{ ...PARTIAL.layers[0], outcomes: { lost: 1 } }] },
      ],
      ['another version', { ...PARTIAL, toolVersion: '1', version: 2 }],
    ])('refuses %s', (_, document) => {
      expect(published().safeParse(JSON.parse(JSON.stringify(document))).success).toBe(false)
    })
  })
})

describe('docs/json-output.md', () => {
  const page = readFileSync(new URL('../../docs/json-output.md', import.meta.url), 'utf8')

  it.each(fieldNames([PARTIAL, CHECKED, HELD_BACK]))('describes %s', (name) => {
    expect(page).toMatch(new RegExp(`\`(\\w+\\.)?${name}\``))
  })
})

/** The names of all fields in a report, except the counts by outcome and reason. */
function fieldNames(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  if (Array.isArray(value)) return [...new Set(value.flatMap(fieldNames))]
  const fields = Object.entries(value)
  const inner = fields.flatMap(([name, field]) => (['outcomes', 'dropped'].includes(name) ? [] : fieldNames(field)))
  return [...new Set([...fields.map(([name]) => name), ...inner])]
}
