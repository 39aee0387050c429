import { parseFileName } from './parse-endpoint.ts'
import { wrongSecret, type Parsed } from './parsed.ts'

/** Whether the text is, or was meant to be, a secret key; such a text must not be repeated anywhere. */
export function looksLikeSecretKey(text: string): boolean {
  return /n(?:crypt)?sec1/i.test(text) || /^[0-9a-f]{64}$/i.test(text.trim())
}

/** Parses the name of a file that holds a secret. */
export function parseSecretFileName(text: string): Parsed<string> {
  if (!looksLikeSecretKey(text)) return parseFileName(text)
  return wrongSecret(
    'takes the name of a file, not a key: write the key to a file; this one is now in your shell history',
  )
}
