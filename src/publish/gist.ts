const MOST_CHARACTERS = 1_000

/** In brackets or quotes stands what differs from event to event. A quote within a word is an apostrophe. */
const ENCLOSED = [/\[[^[\]]*\]/g, /\([^()]*\)/g, /\{[^{}]*\}/g, /<[^<>]*>/g, /"[^"]*"/g, /`[^`]*`/g]
const SINGLE_QUOTED = /(?<!\w)'[^']*'(?!\w)/g
const NAMED = /:\/\/|n(?:pub|ote|event|profile|addr)1[a-z0-9]|[0-9a-f]{16}/i

/**
 * What a relay's text says whatever event it answers: without ids, URLs, numbers and what stands in brackets or quotes.
 * Two refusals with one gist are the same refusal. Of a long text only the beginning counts.
 */
export function gistOf(text: string): string {
  const bare = [...ENCLOSED, SINGLE_QUOTED].reduce((rest, enclosed) => rest.replace(enclosed, ' '), head(text))
  const words = bare.split(/\s+/).filter((word) => !NAMED.test(word))
  return words
    .map((word) => word.replace(/[^\p{L}]+/gu, '').toLowerCase())
    .filter((word) => word !== '')
    .join(' ')
}

function head(text: string): string {
  return text.slice(0, MOST_CHARACTERS)
}
