import { createHash } from 'node:crypto'

/** The start of a URL of a relay or a web server, even if mistyped. */
const SCHEME = /(?:wss?|https?)[:;]?[/\\]{1,3}/i
const WORD = /[^\s"'<>]+/g
const PUNCTUATION = '.,:;)]}'

/**
 * Removes possible secrets from every URL in the text. Replaces a query string by `?…` and four digits that distinguish
 * it from other queries, and user and password by `…@`. The URL that is dialled keeps both.
 */
export function maskUrls(text: string): string {
  return text.replaceAll(WORD, maskWord)
}

function maskWord(word: string): string {
  const scheme = SCHEME.exec(word)
  if (scheme === null) return word
  const start = scheme.index + scheme[0].length
  const end = endOf(word)
  const queryAt = word.indexOf('?', start)
  const isQuery = queryAt !== -1 && queryAt + 1 < end
  const place = maskUser(word.slice(start, isQuery ? queryAt : end))
  const query = isQuery ? `?…${digestOf(word.slice(queryAt, end))}` : ''
  return word.slice(0, start) + place + query + word.slice(end)
}

/** Where the URL ends and the punctuation of the sentence begins. */
function endOf(url: string): number {
  let end = url.length
  while (end > 0 && PUNCTUATION.includes(url[end - 1] ?? '')) end -= 1
  return end
}

/** Masks everything between the start and an @ before the first slash. */
function maskUser(place: string): string {
  const authority = place.split(/[/\\]/, 1)[0] ?? ''
  const at = authority.lastIndexOf('@')
  return at === -1 ? place : `…${place.slice(at)}`
}

/** Long enough to tell two URLs apart, too short to help guess a secret. */
function digestOf(query: string): string {
  return createHash('sha256').update(query).digest('hex').slice(0, 4)
}
