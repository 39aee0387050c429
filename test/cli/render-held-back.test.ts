import { describe, expect, it } from 'vitest'

import { renderReport } from '../../src/cli/render/render-table.ts'
import type { HeldBackRepository, Report } from '../../src/report/report.ts'
import { HELD_BACK, NOW, report } from './reports.ts'

const render = (document: Report, verbose = false): string =>
  renderReport(document, { color: false, width: 100, now: NOW, timeZone: 'UTC', verbose })
const [kept, expired] = HELD_BACK.heldBack as readonly [HeldBackRepository, HeldBackRepository]

describe('repositories that wait for git data', () => {
  it('stand with what they need, what waits for them, and until when the target keeps them', () => {
    const text = render(HELD_BACK)
    expect(text.slice(text.indexOf(' waits for'), text.indexOf('\npartial'))).toMatchInlineSnapshot(`
      " waits for git data   name                 held back  waiting  kept until  needs
       npub14w46…/hello     Hello \\u{202e}world          2       14  Sun 12:43   1111111 and 4 more
       npub1ehxu…/old                                    3        2  expired     3333333
       no known repository                               2        ·  ·           ·
       expired: the target no longer keeps it, so a push does not help; a run five minutes later sends it
       again
      "
    `)
  })

  it('are to be pushed while all are kept, and never once their purgatory has expired', () => {
    expect(render({ ...HELD_BACK, heldBack: [kept] })).toContain('→ Push the repository to the target;')
    const late = render({ ...HELD_BACK, heldBack: [expired] })
    expect(late).toContain('→ The purgatory has expired; sent again by a run five minutes after that.')
    expect(late).not.toContain('Push')
  })

  it('are shown ten at a time, the worst first, and all with --verbose', () => {
    const many = Array.from({ length: 13 }, (_, n) => ({ ...kept, name: `name ${n}`, events: 1, waiting: 2 }))
    const text = render(report({ ...HELD_BACK, heldBack: many }))
    expect(text).toContain('name 9 ')
    expect(text).not.toContain('name 10')
    expect(text).toContain('and 3 more with 9 events: --verbose and --json show all')
    expect(render(report({ ...HELD_BACK, heldBack: many }), true)).toContain('name 12')
  })

  it('do not show where there are none', () => {
    expect(render({ ...HELD_BACK, heldBack: [] })).not.toContain('waits for git data')
  })
})
