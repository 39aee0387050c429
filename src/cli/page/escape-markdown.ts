import { escapeForTerminal } from '../escape.ts'

/** ASCII punctuation that Markdown may read as markup, or as the start of a link. */
const MARKUP = /[\\`*_{}[\]()#+\-.!|~:^$=]/g

/** Makes a text safe in a line or a table cell of Markdown: no markup, no HTML, no link. Controls become visible. */
export function escapeMarkdown(text: string): string {
  return escapeForTerminal(text)
    .replaceAll(MARKUP, (character) => `\\${character}`)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('@', '&#64;')
}
