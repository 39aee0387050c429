export type EscapeOptions = {
  /** The most code points of the result, counting escapes as printed and including `…`; 1 or more. @default no limit */
  readonly maxLength?: number
}

/**
 * Characters that must not reach a terminal or a log unescaped (rule 7): controls (C0, DEL, C1), line and paragraph
 * separators, lone surrogates, and all that are invisible or change how their neighbours look — bidi controls,
 * zero-width characters, fillers, tags, variation selectors, interlinear annotations. U+FE0E and U+FE0F stay, because
 * `❤️` needs them.
 */
const UNSAFE = /(?![\u{fe0e}\u{fe0f}])[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u{fff9}-\u{fffb}]/gu

const SHORT_ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/**
 * Makes a stranger's text safe to print on one line: replaces each unsafe character by `\n`, `\x1b` or `\u{202e}`.
 *
 * Backslashes stay as they are. The escapes are for reading, not for parsing: `\x1b` in the result may be an escape or
 * the stranger's own text; neither moves a cursor. Joined emoji (👩‍🚀) fall apart: their joiner has zero width.
 */
export function escapeForTerminal(text: string, { maxLength = Infinity }: EscapeOptions = {}): string {
  // A code point takes at most two units and prints at least one character, so anything beyond this is cut anyway.
  const considered = text.slice(0, 2 * (maxLength + 1))
  const escaped = considered.replaceAll(UNSAFE, escapeCharacter)
  return escaped.length <= maxLength ? escaped : shorten(considered, maxLength)
}

function shorten(text: string, maxLength: number): string {
  let kept = ''
  let length = 0
  let keptWithEllipsis = ''
  for (const character of text) {
    const printed = character.replace(UNSAFE, escapeCharacter)
    length += printed === character ? 1 : printed.length
    if (length > maxLength) return `${keptWithEllipsis}…`
    kept += printed
    if (length < maxLength) keptWithEllipsis = kept
  }
  return kept
}

function escapeCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0
  const hex = code.toString(16)
  return SHORT_ESCAPES[character] ?? (code < 0x100 ? `\\x${hex.padStart(2, '0')}` : `\\u{${hex}}`)
}
