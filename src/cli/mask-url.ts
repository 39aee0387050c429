import { createHash } from 'node:crypto'

/** The beginning of a relay's or a web server's URL, also where it is mistyped. */
const SCHEME = /(?:wss?|https?)[:;]?[/\\]{1,3}/i
const WORD = /[^\s"'<>]+/g
const PUNCTUATION = '.,:;)]}'

/**
 * The text with what may be a secret taken out of every URL in it: `?…` and four digits that tell it from other queries
 * stand for the query string, `…@` for user and password. The URL that is dialled keeps both.
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

/** Where the URL ends and the punctuation of a sentence begins. */
function endOf(url: string): number {
  let end = url.length
  while (end > 0 && PUNCTUATION.includes(url[end - 1] ?? '')) end -= 1
  return end
}

/** What stands before the first slash and an @. */
function maskUser(place: string): string {
  const authority = place.split(/[/\\]/, 1)[0] ?? ''
  const at = authority.lastIndexOf('@')
  return at === -1 ? place : `…${place.slice(at)}`
}

/** Enough to tell two URLs apart, too little to guess a secret by. */
function digestOf(query: string): string {
  return createHash('sha256').update(query).digest('hex').slice(0, 4)
}
