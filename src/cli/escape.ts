export type EscapeOptions = {
  /**
   * The most code points that the result has, its escapes counted as printed and `…` included; 1 or more. @default no
   * limit
   */
  readonly maxLength?: number
}

/**
 * What must not reach a terminal or a log as it is (rule 7): controls (C0, DEL, C1), line and paragraph separators,
 * lone surrogates, and everything that shows nothing or changes what its neighbours show — bidi controls, zero-width
 * characters, fillers, tags, variation selectors, interlinear annotations. U+FE0E and U+FE0F stay: `❤️` needs them.
 */
const UNSAFE = /(?![\u{fe0e}\u{fe0f}])[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u{fff9}-\u{fffb}]/gu

const SHORT_ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/**
 * A stranger's text, safe to print on one line: `\n`, `\x1b` or `\u{202e}` stands for each unsafe character, all others
 * stay.
 *
 * A backslash stays as it is. The escapes are for eyes, not for parsing back, so `\x1b` in the result may be an escape
 * or what the stranger wrote; neither moves a cursor. Joined emoji (👩‍🚀) fall apart, for their joiner is a zero-width
 * character.
 */
export function escapeForTerminal(text: string, { maxLength = Infinity }: EscapeOptions = {}): string {
  // A code point takes at most two units and prints at least once: what lies behind is cut anyway, however long it is.
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
