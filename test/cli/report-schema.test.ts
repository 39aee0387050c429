import { describe, expect, expectTypeOf, it } from 'vitest'
import { readFileSync } from 'node:fs'
import type { z } from 'zod'
import { renderJson } from '../../src/cli/render/render-json.ts'
import { reportSchema } from '../../src/cli/render/report-schema.ts'
import type { Report } from '../../src/report/report.ts'
import { CHECKED, DOOR, DRY_BACKFILL, HELD_BACK, PARTIAL, REPAIRED, report } from './reports.ts'

describe('reportSchema', () => {
  it('has exactly the type Report', () => {
    expectTypeOf<z.infer<typeof reportSchema>>().toExtend<Report>()
    expectTypeOf<Report>().toExtend<z.infer<typeof reportSchema>>()
  })

  it.each([report({}), CHECKED, HELD_BACK, PARTIAL, REPAIRED, DRY_BACKFILL, DOOR])(
    'accepts what --json prints',
    (document) => {
      expect(reportSchema.parse(JSON.parse(renderJson(document)))).toEqual(document)
    },
  )

  it('refuses a field that it does not know, and one that is missing', () => {
    expect(reportSchema.safeParse({ ...PARTIAL, more: 1 }).success).toBe(false)
    expect(reportSchema.safeParse({ ...PARTIAL, exit: undefined }).success).toBe(false)
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
