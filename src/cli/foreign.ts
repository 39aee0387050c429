import { escapeForTerminal } from './escape.ts'

/** A stranger's text, safe and of bounded length (rule 7). Every text of a relay, an author or a file goes through here. */
export function foreign(text: string): string {
  return escapeForTerminal(text, { maxLength: 400 })
}
