import { escapeForTerminal } from '../escape.ts'

/** ASCII punctuation that Markdown reads as markup anywhere in a line. */
const MARKUP = /[\\`*_[\]|~$]/g
/** What makes a heading, a list, a quote or a rule at the start of a block. */
const BLOCK = /^(\s*)([#+=-]|\d+(?=[.)]))/
/** What GitHub turns into a link without any markup. */
const LINK = /(https?|ftp|www)([:.])/gi

/** Makes a text safe in a line or a table cell of Markdown: no markup, no HTML, no link. Controls become visible. */
export function escapeMarkdown(text: string): string {
  return escapeForTerminal(text)
    .replaceAll('&', '&amp;')
    .replaceAll(MARKUP, (character) => `\\${character}`)
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('@', '&#64;')
    .replaceAll(LINK, String.raw`$1\$2`)
    .replace(BLOCK, (_, space: string, mark: string) => `${space}${/\d/.test(mark) ? `${mark}\\` : `\\${mark}`}`)
}
