import { foreign } from './foreign.ts'

/** Returns a text as one word of a command that is shown, quoted for a shell where it must be; safe to print. */
export function quoteWord(text: string): string {
  const shown = foreign(text)
  return /^[\w@%+=:,./[\]-]+$/.test(shown) ? shown : `'${shown.replaceAll("'", String.raw`'\''`)}'`
}
