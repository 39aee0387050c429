import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { buildFailurePage } from '../../src/cli/page/build-failure-page.ts'
import { buildPage } from '../../src/cli/page/build-page.ts'
import { escapeHtml } from '../../src/cli/page/escape-html.ts'
import { escapeMarkdown } from '../../src/cli/page/escape-markdown.ts'
import { PALETTES, type Palette } from '../../src/cli/page/palette.ts'
import { renderHtml } from '../../src/cli/page/render-html.ts'
import { renderMarkdown } from '../../src/cli/page/render-markdown.ts'
import { UsageError } from '../../src/errors.ts'
import type { Report } from '../../src/report/report.ts'
import { CHECKED, DOOR, HELD_BACK, NOW, PARTIAL, REPAIRED, report } from './reports.ts'
import { tagsOf } from '../support/html-tags.ts'

const TIMES = { now: NOW, timeZone: 'UTC' }
const htmlOf = (of: Report): string => renderHtml(buildPage(of, TIMES, '1.2.3'))
const markdownOf = (of: Report): string => renderMarkdown(buildPage(of, TIMES, '1.2.3'))

const EVIL = `</title></style><script>alert(1)</script><img src=x onerror="a()">'&\u202e\u0007|\n# x [a](javascript:b) \`\`\`\n`

/** A report in which strangers wrote everything that they can write. */
function hostile(text: string): Report {
  const repository = {
    repository: `30617:${'ab'.repeat(32)}:${text}`,
    name: text,
    missing: 3,
    sent: 1,
    waiting: 1,
    refused: 1,
    pending: 0,
  }
  const [source] = PARTIAL.sources
  return {
    ...PARTIAL,
    target: text,
    targetSoftware: text,
    scope: { ...PARTIAL.scope, why: text },
    repositories: [repository, { ...repository, repository: text }],
    problems: [{ what: 'refused', where: text, reason: text, count: 2, example: text }],
    sources: source === undefined ? [] : [{ ...source, url: text, complete: false, reason: text, notes: [text] }],
    notes: [text],
  }
}

/** WCAG 2: the contrast of two colours `#rrggbb`. */
function contrast(a: string, b: string): number {
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x)
  return (light + 0.05) / (dark + 0.05)
}

function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = parseInt(color.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

describe('the page of a partial run', () => {
  it('tells the verdict, the repositories before and after, the sources, the next steps and the words', () => {
    const text = markdownOf(PARTIAL)
    expect(text).toContain('**partial (3)**')
    expect(text).toMatch(/\| npub14w46h2a…6zts\/ngit \| ngit \| 412 \| 398 \| 14 \| 14 \| 0 \|/)
    expect(text).toContain('### wss://relay.two')
    expect(text).toContain('→ Push the repository to the target')
    expect(text).toContain('ngit-sync retry --target ws://localhost:7443')
    expect(text).toContain('- **waiting** ')
    expect(text).toContain('591 of 598 were signed between Fri 20:13 and Sat 05:13')
  })

  it('draws the histogram as SVG with a bar for each bin', () => {
    expect(htmlOf(PARTIAL).match(/<rect /g)).toHaveLength(2)
  })

  it('loads nothing from anywhere, and runs nothing', () => {
    const html = htmlOf(hostile(EVIL))
    expect(html).toContain("default-src 'none'")
    const tags = tagsOf(html)
    expect(tags.map(({ name }) => name)).not.toContain('script')
    expect(tags.flatMap(({ attributes }) => [...attributes.keys()])).toEqual(
      expect.not.arrayContaining(['src', 'href', 'onerror', 'onload', 'style']),
    )
    expect(html.match(/<style>[^]*?<\/style>/)?.[0]).not.toMatch(/url\(|@import/)
  })
})

describe('every page', () => {
  it.each([
    ['a check', CHECKED],
    ['a repair', REPAIRED],
    ['a target that refuses us', DOOR],
    ['git data missing', HELD_BACK],
    ['nothing to do', report({})],
  ])('of %s is well-formed', (_, of) => {
    expect(() => tagsOf(htmlOf(of))).not.toThrow()
    expect(markdownOf(of)).toContain('## Words')
  })

  it('stays well-formed whatever strangers write, with the same elements', () => {
    const names = (text: string): string[] => tagsOf(htmlOf(hostile(text))).map(({ name }) => name)
    const plain = names('x')
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.constant(EVIL), fc.string()), (text) => {
        expect(names(text)).toEqual(plain)
      }),
      { numRuns: 60 },
    )
  })

  it('keeps each row of a Markdown table one row, without HTML', () => {
    const rows = (text: string): number =>
      markdownOf(hostile(text))
        .split('\n')
        .filter((line) => line.startsWith('|')).length
    const plain = rows('x')
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.constant(EVIL)), (text) => {
        expect(rows(text)).toBe(plain)
        const outsideCode = markdownOf(hostile(text)).replaceAll(/^(`{3,})$[^]*?^\1$/gm, '')
        expect(outsideCode).not.toMatch(/<|[^\\]\[[^\]]*[^\\]\]\(/)
      }),
      { numRuns: 60 },
    )
  })

  it('has no control character that came from a stranger', () => {
    for (const text of [htmlOf(hostile(EVIL)), markdownOf(hostile(EVIL))]) expect(text).not.toMatch(/[\u0007\u202e]/)
  })
})

describe('the escapes', () => {
  it('make HTML of five characters and show controls', () => {
    expect(escapeHtml(`<a b="c" d='e'>&\u0000`)).toBe('&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;\\x00')
  })

  it('leave no markup in Markdown', () => {
    expect(escapeMarkdown('*a* | [b](c) <i> `d`')).toBe('\\*a\\* \\| \\[b\\](c) &lt;i&gt; \\`d\\`')
  })
})

describe('escapeMarkdown', () => {
  it.each([
    ['# no heading', String.raw`\# no heading`],
    ['1. no list', String.raw`1\. no list`],
    ['see https://x.example and www.x.example', String.raw`see https\://x.example and www\.x.example`],
    ['wss://relay.one stays', 'wss://relay.one stays'],
  ])('of `%s` is plain text', (text, escaped) => {
    expect(escapeMarkdown(text)).toBe(escaped)
  })
})

describe('the colours', () => {
  const cases = Object.entries(PALETTES).flatMap(([scheme, palette]: [string, Palette]) =>
    [palette.text, palette.muted, ...Object.values(palette.accent)].flatMap((color) =>
      [palette.ground, palette.panel].map((ground) => [scheme, color, ground] as const),
    ),
  )

  it.each(cases)('of %s: %s on %s has a contrast of at least 4.5 (WCAG AA)', (_, color, ground) => {
    expect(contrast(color, ground)).toBeGreaterThanOrEqual(4.5)
  })
})

describe('the page of merged reports', () => {
  const shards = [
    { number: 1, exit: 0, startedAt: NOW },
    { number: 2, exit: 130, startedAt: NOW },
    { number: 3, exit: 0, startedAt: NOW },
    { number: 5, exit: 3, startedAt: NOW },
  ]
  const MERGED = { ...PARTIAL, merged: { of: 5, missing: [4], shards, failures: [] } }

  it('says which shards are there, missing and stopped, the worst first', () => {
    const rows = [
      ['no report', '4', 'run it again'],
      ['interrupted (130)', '2', 'run it again: it goes on where it stopped'],
      ['partial (3)', '5', 'run it again'],
      ['complete (0)', '1, 3', '·'],
    ]
    const text = markdownOf(MERGED)
    expect(text).toContain('- shards: 4 of 5')
    expect(text).toContain('4 of 5 shards have a report.')
    expect(text).toContain(rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n'))
    for (const cells of rows) expect(htmlOf(MERGED)).toContain(cells.map((cell) => `<td>${cell}</td>`).join(''))
    expect(markdownOf(PARTIAL)).not.toContain('## Shards')
  })

  it('gives the command of each shard that is not done, and then to merge', () => {
    const lines = buildPage(MERGED, TIMES, '1').commands.map(({ line }) => line)
    const run =
      'ngit-sync catchup --source wss://relay.one --source wss://relay.two --target ws://localhost:7443 --scope listed'
    expect(lines.slice(0, 4)).toEqual([
      ...[4, 2, 5].map((number) => `${run} --shard ${number}/5 --json > shard-${number}.json`),
      'ngit-sync merge-reports shard-*.json',
    ])
    const missing = [4, ...Array.from({ length: 30 }, (_, index) => index + 10)]
    const [many] = buildPage({ ...MERGED, merged: { ...MERGED.merged, of: 99, missing } }, TIMES, '1').commands
    expect(many).toEqual({
      does: 'run again, for N each of 2, 4–5, 10–39',
      line: `${run} --shard N/99 --json > shard-N.json`,
    })
  })

  it('names the shard in the commands of one shard', () => {
    const commands = buildPage({ ...PARTIAL, shard: { number: 2, of: 4, plan: '' } }, TIMES, '1').commands
    const withoutShard = commands.filter(({ line }) => !line.includes('--shard 2/4'))
    expect(withoutShard).toEqual([])
  })

  it('is about the merge when that fails', () => {
    const options = { command: 'merge-reports', files: ['1.json', EVIL] } as const
    const page = buildFailurePage({ options, error: new UsageError(['they differ']) }, TIMES, '1')
    expect(page.commands.map(({ line }) => line)).toEqual([expect.stringMatching(/^ngit-sync merge-reports 1\.json '/)])
    expect(renderMarkdown(page)).toContain('**wrong usage (2)** they differ')
    expect(renderMarkdown(page)).not.toMatch(/Add the options|Nothing is lost|[\u0007\u202e]/)
  })
})
