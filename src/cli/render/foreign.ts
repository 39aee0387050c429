import { escapeForTerminal } from '../escape.ts'
import { maskUrls } from '../mask-url.ts'

/** What lies behind is not shown anyway. */
const CONSIDERED = 4_096

/**
 * A stranger's text, safe and of bounded length (rule 7), without what URLs may hide. Every text of a relay, an author
 * or a file goes through here.
 */
export function foreign(text: string): string {
  return escapeForTerminal(maskUrls(text.slice(0, CONSIDERED)), { maxLength: 400 })
}
