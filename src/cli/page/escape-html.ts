import { escapeForTerminal } from '../escape.ts'

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Makes a text safe in the content and in quoted attributes of HTML and SVG. Controls become visible (rule 7). */
export function escapeHtml(text: string): string {
  return escapeForTerminal(text).replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}
