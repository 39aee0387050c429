import { escapeForTerminal } from '../escape.ts'
import { maskUrls } from '../mask-url.ts'

/** Longer texts are cut anyway. */
const CONSIDERED = 4_096

/**
 * Makes a stranger's text safe and bounded (rule 7), and masks secrets in URLs. Every text of a relay, an author or a
 * file goes through here.
 */
export function foreign(text: string): string {
  return escapeForTerminal(maskUrls(text.slice(0, CONSIDERED)), { maxLength: 400 })
}
