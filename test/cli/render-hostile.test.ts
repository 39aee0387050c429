import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toolVersion } from '../../src/cli/tool-version.ts'
import { renderJson } from '../../src/cli/render/render-json.ts'
import { renderProgress } from '../../src/cli/render/render-progress.ts'
import { renderError } from '../../src/cli/render/render-error.ts'
import { renderStatus } from '../../src/cli/render/render-status.ts'
import { renderReport } from '../../src/cli/render/render-table.ts'
import { visibleWidth } from '../../src/cli/render/text-width.ts'
import { SyncError, UsageError } from '../../src/errors.ts'
import type { Report } from '../../src/report/report.ts'
import type { Status } from '../../src/report/status.ts'
import { DOOR, DRY_BACKFILL, HELD_BACK, NOW, PARTIAL, REPAIRED, STATUS } from './reports.ts'

/** Everything that rule 7 forbids on a terminal, except the newlines between our own lines. */
const FORBIDDEN =
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/

const SGR = /\u001b\[[\d;]*m/g

/** Texts as strangers write them: controls, bidi, wide characters, very long words, and anything else. */
const hostileText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc.string({
    unit: fc.constantFrom('\u001b[2J', '\u202e', '\r', '\n', '\u0007', '世', '🚀', 'é', ' ', '\u0085', 'x'),
    maxLength: 80,
  }),
  fc.constantFrom('w'.repeat(900), '漢字'.repeat(300), 'a '.repeat(300), ''),
)

const hostileNumber = fc.oneof(fc.nat(3), fc.nat(), fc.constantFrom(Number.MAX_SAFE_INTEGER, 0))

/** Fields whose words are ours, not a stranger's. */
const OURS = ['command', 'layer', 'mode', 'end', 'kind']

/** The document with every text of a stranger and every count replaced by drawn ones. */
function hostileVersionOf<T>(document: T): fc.Arbitrary<T> {
  return fc.tuple(fc.infiniteStream(hostileText), fc.infiniteStream(hostileNumber)).map(([texts, numbers]) => {
    const replace = (value: unknown, key: string): unknown => {
      if (typeof value === 'string' && !OURS.includes(key)) return texts.next().value
      if (typeof value === 'number' && !['exit', 'version'].includes(key)) return numbers.next().value
      if (Array.isArray(value)) return value.map((item) => replace(item, ''))
      if (typeof value !== 'object' || value === null) return value
      return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, replace(field, name)]))
    }
    return replace(document, '') as T
  })
}

const anyReport: fc.Arbitrary<Report> = fc.oneof(
  ...[PARTIAL, REPAIRED, DRY_BACKFILL, DOOR, HELD_BACK].map(hostileVersionOf),
)
const anyStatus: fc.Arbitrary<Status> = hostileVersionOf(STATUS)
const anyWidth = fc.oneof(fc.constantFrom(40, 80, 120), fc.integer({ min: 40, max: 200 }))

function expectHarmless(text: string, width: number): void {
  expect(text.replaceAll(SGR, '')).not.toMatch(FORBIDDEN)
  const tooWide = text.split('\n').filter((line) => visibleWidth(line) > width)
  expect(tooWide).toEqual([])
}

describe('whatever strangers write', () => {
  it('a report stays within its width and free of control characters', () => {
    fc.assert(
      fc.property(anyReport, anyWidth, fc.boolean(), fc.boolean(), (report, width, color, verbose) => {
        expectHarmless(renderReport(report, { color, width, verbose, now: NOW, timeZone: 'UTC' }), width)
      }),
      { numRuns: 150 },
    )
  })

  it('a report without colour has no escape sequence at all', () => {
    fc.assert(
      fc.property(anyReport, (report) => {
        expect(renderReport(report, { color: false, width: 80, now: NOW })).not.toContain('\u001b')
      }),
      { numRuns: 50 },
    )
  })

  it('a status stays within its width and free of control characters', () => {
    fc.assert(
      fc.property(anyStatus, anyWidth, fc.boolean(), (status, width, color) => {
        expectHarmless(renderStatus(status, { color, width, now: NOW, timeZone: 'UTC' }), width)
      }),
      { numRuns: 100 },
    )
  })

  it('a progress line stays one line within its width', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ url: hostileText, events: hostileNumber }), { maxLength: 4 }),
        anyWidth,
        (perSource, width) => {
          const line = renderProgress({ doing: 'reading', layer: 'threads', perSource }, width)
          expect(line).not.toContain('\n')
          expectHarmless(line, width)
        },
      ),
    )
  })

  it('an error is free of control characters', () => {
    fc.assert(
      fc.property(hostileText, hostileText, (message, hint) => {
        const errors = [
          new SyncError(message, { hint, cause: new Error(hint) }),
          new UsageError([message, hint]),
          message,
        ]
        for (const error of errors) expect(renderError(error, hint)).not.toMatch(FORBIDDEN)
      }),
    )
  })

  it('a JSON document is one harmless line, and parses back to the same', () => {
    fc.assert(
      fc.property(anyReport, (report) => {
        const text = renderJson(report)
        expect(text.slice(0, -1)).not.toMatch(FORBIDDEN)
        expect(text.indexOf('\n')).toBe(text.length - 1)
        expect(JSON.parse(text)).toEqual({
          ...(JSON.parse(JSON.stringify(report)) as object),
          toolVersion: toolVersion(),
        })
      }),
      { numRuns: 100 },
    )
  })
})
