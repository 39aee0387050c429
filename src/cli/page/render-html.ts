import { formatCount, formatPlural } from '../render/format-quantity.ts'
import { capitalize } from './capitalize.ts'
import { escapeHtml } from './escape-html.ts'
import type { Page, PageSource, PageWait } from './page.ts'
import { renderBars } from './render-svg.ts'
import { styleFor } from './style.ts'

/** Renders a page as one HTML document that loads nothing: no script, no font, no picture. */
export function renderHtml(page: Page): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'" />
<meta name="referrer" content="no-referrer" />
<title>${escapeHtml(page.title)}</title>
<style>${styleFor(page.tone)}</style>
</head>
<body>
<main>
<h1>${escapeHtml(page.title)}</h1>
<div class="verdict"><strong>${escapeHtml(page.verdict.word)}</strong><p>${escapeHtml(page.verdict.sentence)}</p></div>
<dl>${page.facts.map(([label, text]) => `<dt>${escapeHtml(label)}</dt><dd>${escapeHtml(text)}</dd>`).join('\n')}</dl>
${[renderShards(page), renderTimes(page), renderRepositories(page), renderGitData(page), renderWaits(page), renderSources(page), renderCommands(page), renderWords(page)].join('\n')}
<footer>${escapeHtml(page.footer)}</footer>
</main>
</body>
</html>
`
}

function section(title: string, content: string): string {
  return `<section>\n<h2>${escapeHtml(title)}</h2>\n${content}\n</section>`
}

function renderShards({ shards }: Page): string {
  if (shards === null) return ''
  const head = ['ended', 'shards', 'do'].map((text) => `<th scope="col">${text}</th>`).join('')
  const rows = shards.rows.map(
    ({ end, numbers, toDo }) =>
      `<tr>${[end, numbers, toDo].map((text) => `<td>${escapeHtml(text)}</td>`).join('')}</tr>`,
  )
  const table = scroll(`<table><thead><tr>${head}</tr></thead>\n<tbody>${rows.join('\n')}</tbody></table>`)
  return section('Shards', `<p>${escapeHtml(shards.sentence)}.</p>${table}`)
}

function renderTimes({ times }: Page): string {
  if (times === null) return ''
  const { sentence, bins, caption } = times
  const most = Math.max(...bins.map(({ count }) => count))
  const bar = bins.find(({ count }) => count === most)
  const peak = `tallest: ${formatCount(most)} (${bar?.label ?? ''})`
  const labels = [bins[0]?.label ?? '', ...(bins.length > 1 ? [bins.at(-1)?.label ?? ''] : [])]
  return section(
    'When the missing events were signed',
    `${sentence === null ? '' : `<p>${escapeHtml(capitalize(sentence))}.</p>`}
<div class="chart">${renderBars(bins, 'Missing events by the time at which they were signed')}
<div class="axis">${labels.map((label) => `<span>${escapeHtml(label)}</span>`).join('')}</div></div>
<p class="muted">${escapeHtml(`${capitalize(caption)}; ${peak}.`)}</p>`,
  )
}

function renderRepositories({ repositories }: Page): string {
  if (repositories === null) return ''
  const { columns, rows, more } = repositories
  if (rows.length === 0) return section('Repositories', '<p>None was hit.</p>')
  const head = columns.map((heading) => `<th scope="col" class="number">${escapeHtml(heading)}</th>`).join('')
  const body = rows.map(
    ({ name, label, counts }) =>
      `<tr><td class="name">${escapeHtml(name)}<small>${escapeHtml(label)}</small></td>${counts.map(numberCell).join('')}</tr>`,
  )
  const rest = more === 0 ? '' : `\n<p class="muted">And ${formatCount(more)} more: --json has them.</p>`
  return section(
    'Repositories',
    `${scroll(`<table><thead><tr><th scope="col">repository</th>${head}</tr></thead>\n<tbody>${body.join('\n')}</tbody></table>`)}${rest}`,
  )
}

function renderGitData({ git }: Page): string {
  if (git === null) return ''
  const rows = git.rows.map(({ name, label, found, dataAt, toDo, command }) => {
    const line = command === null ? '' : `<pre tabindex="0">${escapeHtml(command)}</pre>`
    const cells = [found, dataAt].map((text) => `<td>${escapeHtml(text)}</td>`).join('')
    return `<tr><td class="name">${escapeHtml(name)}<small>${escapeHtml(label)}</small></td>${cells}<td>${escapeHtml(toDo)}${line}</td></tr>`
  })
  const head = ['repository', 'at the target', 'data at', 'do'].map((text) => `<th scope="col">${text}</th>`).join('')
  const table =
    rows.length === 0 ? '' : scroll(`<table><thead><tr>${head}</tr></thead>\n<tbody>${rows.join('\n')}</tbody></table>`)
  const rest = git.more === 0 ? '' : `\n<p class="muted">And ${formatCount(git.more)} more: --json has them.</p>`
  return section('Git data', `<p>${escapeHtml(capitalize(git.sentence))}.</p>${table}${rest}`)
}

/** A box that scrolls is reached by the keyboard too. */
function scroll(table: string): string {
  return `<div class="scroll" tabindex="0">${table}</div>`
}

function numberCell(count: number): string {
  return `<td class="number${count === 0 ? ' zero' : ''}">${count === 0 ? '·' : formatCount(count)}</td>`
}

function renderWaits({ waits, notes }: Page): string {
  const cards = waits.map(renderWait)
  const remarks = notes.length === 0 ? '' : `<ul>${notes.map((note) => `<li>${escapeHtml(note)}</li>`).join('')}</ul>`
  const nothing = cards.length === 0 && remarks === '' ? '<p>Nothing.</p>' : ''
  return section('What waits or went wrong, and what to do', `${cards.join('\n')}${remarks}${nothing}`)
}

function renderWait({ title, reasons, step }: PageWait): string {
  const list = reasons.map((reason) => `<li>${escapeHtml(reason)}</li>`).join('')
  const next = step === null ? '' : `<p class="step">${escapeHtml(step)}</p>`
  return `<div class="card"><h3>${escapeHtml(title)}</h3><ul>${list}</ul>${next}</div>`
}

function renderSources({ sources }: Page): string {
  if (sources.length === 0) return ''
  return section(
    `${formatPlural(sources.length, 'source')}, and how far ${sources.length === 1 ? 'it was' : 'they were'} read`,
    sources.map(renderSource).join('\n'),
  )
}

function renderSource({ url, state, layers }: PageSource): string {
  const rows = layers.map(
    ({ layer, read, events, end }) =>
      `<tr><td>${escapeHtml(layer)}</td><td>${escapeHtml(read)}</td>${numberCell(events)}<td class="end">${escapeHtml(end)}</td></tr>`,
  )
  const head =
    '<tr><th scope="col">layer</th><th scope="col">read</th><th scope="col" class="number">events</th><th scope="col">end</th></tr>'
  const table =
    layers.length === 0 ? '' : scroll(`<table><thead>${head}</thead><tbody>${rows.join('\n')}</tbody></table>`)
  return `<h3>${escapeHtml(url)}</h3><p class="muted">${escapeHtml(capitalize(state))}.</p>${table}`
}

function renderCommands({ commands, commandsLack }: Page): string {
  const lines = commands.map(
    ({ does, line }) => `<p>${escapeHtml(capitalize(does))}:</p><pre tabindex="0">${escapeHtml(line)}</pre>`,
  )
  const hint = commandsLack === null ? '' : `<p class="muted">${escapeHtml(commandsLack)}</p>`
  return section('Commands', `${lines.join('\n')}${hint}`)
}

function renderWords({ words }: Page): string {
  if (words.length === 0) return ''
  const list = words.map(([word, meaning]) => `<dt>${escapeHtml(word)}</dt><dd>${escapeHtml(meaning)}</dd>`)
  return section('Words', `<dl>${list.join('\n')}</dl>`)
}
