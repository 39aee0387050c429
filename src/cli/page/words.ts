import type { Report } from '../../report/report.ts'
import type { Page } from './page.ts'

type Word = readonly [word: string, meaning: string, isUsed: (report: Report) => boolean]

const always = (): boolean => true

const WORDS: readonly Word[] = [
  ['missing', 'A source has the event, and the target lacked it when this run asked.', always],
  [
    'read to its end',
    'The source was asked until it had nothing older left (drained). Only then is a run complete.',
    always,
  ],
  [
    'waiting',
    'The target has not taken the event yet. It is kept on disk and sent again when what it needs is there.',
    ({ totals }) => totals.parked > 0,
  ],
  [
    'pending on git data',
    'The target took the event and shows it once the git data is pushed. Push the repository to the target.',
    ({ repositories, heldBack }) => heldBack.length > 0 || repositories.some(({ pending }) => pending > 0),
  ],
  [
    'refused for good',
    'The target does not take the event; the reason is its own. It is not sent again for 30 days.',
    ({ totals }) => totals.refused > 0,
  ],
  [
    'late',
    'Signed before the last run and brought to a source since: only a pass over everything finds such events.',
    ({ layers }) => layers.some(({ lateArrivals }) => lateArrivals > 0),
  ],
  [
    'copies',
    'At how many of the named ends, sources and target alike, an event is; of several versions the newest counts.',
    ({ check }) => (check?.copies ?? null) !== null,
  ],
  [
    'shard',
    'One part of the repositories, done by a run of its own. The whole is complete only if every shard is there and complete.',
    ({ shard, merged }) => shard !== null || merged !== null,
  ],
  ['scope', 'The repositories that belong to the run.', always],
]

/** The words that a page uses, explained. */
export function wordsFor(report: Report): Page['words'] {
  return WORDS.filter(([, , isUsed]) => isUsed(report)).map(([word, meaning]) => [word, meaning])
}
