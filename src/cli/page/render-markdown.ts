import { formatCount } from '../render/format-quantity.ts'
import { escapeForTerminal } from '../escape.ts'
import { capitalize } from './capitalize.ts'
import { escapeMarkdown as text } from './escape-markdown.ts'
import type { Page, PageBin, PageSource, PageWait } from './page.ts'

const LONGEST_BAR = 24

/** Renders a page as Markdown with tables (GFM). The histogram is drawn with block characters. */
export function renderMarkdown(page: Page): string {
  const parts = [
    `# ${text(page.title)}`,
    `**${text(page.verdict.word)}** ${text(page.verdict.sentence)}`,
    page.facts.map(([label, value]) => `- ${text(label)}: ${text(value)}`).join('\n'),
    renderShards(page),
    renderTimes(page),
    renderRepositories(page),
    renderGitData(page),
    section('What waits or went wrong, and what to do', [...page.waits.map(renderWait), renderNotes(page)]),
    sectionIfAny('Sources, and how far they were read', page.sources.map(renderSource)),
    section('Commands', [
      ...page.commands.map(({ does, line }) => `${text(capitalize(does))}:\n\n${fence(line)}`),
      page.commandsLack === null ? '' : text(page.commandsLack),
    ]),
    sectionIfAny('Words', [page.words.map(([word, meaning]) => `- **${text(word)}** ${text(meaning)}`).join('\n')]),
    text(page.footer),
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

function section(title: string, parts: readonly string[]): string {
  const filled = parts.filter((part) => part !== '')
  return [`## ${title}`, ...(filled.length === 0 ? ['Nothing.'] : filled)].join('\n\n')
}

function sectionIfAny(title: string, parts: readonly string[]): string {
  return parts.every((part) => part === '') ? '' : section(title, parts)
}

function renderShards({ shards }: Page): string {
  if (shards === null) return ''
  const rows = shards.rows.map(({ end, numbers, toDo }) => row([end, numbers, toDo].map(text)))
  const table = [row(['ended', 'shards', 'do']), row(['---', '---', '---']), ...rows].join('\n')
  return section('Shards', [`${text(shards.sentence)}.`, table])
}

function renderTimes({ times }: Page): string {
  if (times === null) return ''
  const most = Math.max(...times.bins.map(({ count }) => count))
  const lines = times.bins.filter(({ count }) => count > 0).map((bin) => renderBar(bin, most))
  const sentence = times.sentence === null ? '' : `${text(capitalize(times.sentence))}.`
  return section('When the missing events were signed', [
    sentence,
    fence(lines.join('\n')),
    `${text(capitalize(times.caption))}.`,
  ])
}

function renderBar({ label, count }: PageBin, most: number): string {
  return `${label.padEnd(16)} ${'█'.repeat(Math.max(1, Math.round((count / most) * LONGEST_BAR)))} ${formatCount(count)}`
}

function renderRepositories({ repositories }: Page): string {
  if (repositories === null) return ''
  const { columns, rows, more } = repositories
  if (rows.length === 0) return section('Repositories', ['None was hit.'])
  const lines = [
    row(['repository', 'name', ...columns]),
    row(['---', '---', ...columns.map(() => '--:')]),
    ...rows.map(({ name, label, counts }) => row([text(label), text(name), ...counts.map(formatCount)])),
  ]
  return section('Repositories', [lines.join('\n'), more === 0 ? '' : `And ${formatCount(more)} more.`])
}

function renderGitData({ git }: Page): string {
  if (git === null) return ''
  const lines = [
    row(['repository', 'name', 'at the target', 'data at', 'do']),
    row(['---', '---', '---', '---', '---']),
    ...git.rows.map(({ name, label, found, dataAt, toDo }) => row([label, name, found, dataAt, toDo].map(text))),
  ]
  const commands = git.rows.flatMap(({ command }) => (command === null ? [] : [fence(command)]))
  const more = git.more === 0 ? '' : `And ${formatCount(git.more)} more.`
  return section('Git data', [
    `${text(capitalize(git.sentence))}.`,
    git.rows.length === 0 ? '' : lines.join('\n'),
    more,
    ...commands,
  ])
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}

function renderWait({ title, reasons, step }: PageWait): string {
  const lines = reasons.map((reason) => `- ${text(reason)}`)
  return [`### ${text(title)}`, lines.join('\n'), step === null ? '' : `→ ${text(step)}`]
    .filter((part) => part !== '')
    .join('\n\n')
}

function renderNotes({ notes }: Page): string {
  return notes.map((note) => `- ${text(note)}`).join('\n')
}

function renderSource({ url, state, layers }: PageSource): string {
  const rows = layers.map(({ layer, read, events, end }) =>
    row([text(layer), text(read), formatCount(events), text(end)]),
  )
  const table = [row(['layer', 'read', 'events', 'end']), row(['---', '---', '--:', '---']), ...rows].join('\n')
  return [`### ${text(url)}`, `${text(capitalize(state))}.`, layers.length === 0 ? '' : table]
    .filter((part) => part !== '')
    .join('\n\n')
}

/** A block of code, with a fence longer than any in the text. */
function fence(lines: string): string {
  const safe = lines.split('\n').map((line) => escapeForTerminal(line))
  const longest = Math.max(2, ...[...lines.matchAll(/`+/g)].map(([ticks]) => ticks.length))
  const mark = '`'.repeat(longest + 1)
  return [mark, ...safe, mark].join('\n')
}
