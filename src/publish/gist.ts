const MOST_CHARACTERS = 1_000

/** Brackets and quotes enclose the parts that differ between events. A quote within a word is an apostrophe. */
const ENCLOSED = [/\[[^[\]]*\]/g, /\([^()]*\)/g, /\{[^{}]*\}/g, /<[^<>]*>/g, /"[^"]*"/g, /`[^`]*`/g]
const SINGLE_QUOTED = /(?<!\w)'[^']*'(?!\w)/g
const NAMED = /:\/\/|n(?:pub|ote|event|profile|addr)1[a-z0-9]|[0-9a-f]{16}/i

/**
 * Returns a relay's text without the parts that differ between events: ids, URLs, numbers, and anything in brackets or
 * quotes. Two refusals with one gist are the same refusal. Only the first 1,000 characters count.
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
