const SGR = /\u001b\[[\d;]*m/g

/** Combining characters, which take no column. */
const ZERO_WIDTH = /^[\p{Mn}\p{Me}]$/u

/** East Asian wide and full-width characters, and characters that terminals draw as emoji: two columns. */
const DOUBLE_WIDTH =
  /^[\p{Emoji_Presentation}\u1100-\u115f\u2329\u232a\u2630-\u2637\u268a-\u268f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{191ff}\u{1aff0}-\u{1b2ff}\u{1d300}-\u{1d37f}\u{1f000}-\u{1faff}\u{20000}-\u{3fffd}]$/u

/**
 * The columns that the text takes on a terminal, without colours. Counts code points, not clusters: joined emoji and
 * flags count more than most terminals draw, so a line never gets too long.
 */
export function visibleWidth(text: string): number {
  let width = 0
  for (const character of text.replaceAll(SGR, '')) width += characterWidth(character)
  return width
}

/** Cuts the text to `width` columns, with `…` at the end if something was cut. The text must have no colours. */
export function ellipsize(text: string, width: number): string {
  return visibleWidth(text) <= width ? text : `${takeColumns(text, width - 1)}…`
}

/** Like `ellipsize`, but cuts in the middle: both ends of URLs and ids matter. */
export function ellipsizeMiddle(text: string, width: number): string {
  if (visibleWidth(text) <= width) return text
  const tail = [...text].reverse().join('')
  const tailWidth = Math.floor((width - 1) / 3)
  const end = [...takeColumns(tail, tailWidth)].reverse().join('')
  return `${takeColumns(text, width - 1 - tailWidth)}…${end}`
}

/**
 * Wraps the text into lines of at most `width` columns (2 or more) at spaces; cuts words that are longer than a line.
 * The text must have no colours.
 */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ').flatMap((word) => cutWord(word, width))) {
    const longer = line === '' ? word : `${line} ${word}`
    const isFitting = visibleWidth(longer) <= width
    if (!isFitting) lines.push(line)
    line = isFitting ? longer : word
  }
  return [...lines, line].filter((part, index) => part !== '' || index === 0)
}

/** Pads the text with spaces to `width` columns. */
export function padText(text: string, width: number, align: 'left' | 'right'): string {
  const space = ' '.repeat(Math.max(0, width - visibleWidth(text)))
  return align === 'left' ? text + space : space + text
}

function cutWord(word: string, width: number): string[] {
  const pieces: string[] = []
  for (let rest = word; ;) {
    const piece = takeColumns(rest, width)
    pieces.push(piece)
    rest = rest.slice(piece.length)
    if (rest === '') return pieces
  }
}

function takeColumns(text: string, width: number): string {
  let taken = ''
  let columns = 0
  for (const character of text) {
    columns += characterWidth(character)
    if (columns > width) return taken
    taken += character
  }
  return taken
}

/** U+FE0F turns the preceding character into an emoji, which is one column wider. */
function characterWidth(character: string): number {
  if (character === '\ufe0f') return 1
  if (ZERO_WIDTH.test(character)) return 0
  return DOUBLE_WIDTH.test(character) ? 2 : 1
}
