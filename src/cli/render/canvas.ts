import type { UnixSeconds } from '../../time.ts'
import type { TimeContext } from './format-time.ts'
import { padText, wrapText } from './text-width.ts'

const NARROWEST = 40

/** Options for rendering to text. */
export type RenderOptions = {
  readonly color: boolean
  /** Columns; less than 40 counts as 40. */
  readonly width: number
  readonly now: UnixSeconds
  /** @default the local zone */
  readonly timeZone?: string
  /** Show everything, including what is usually summed up. @default false */
  readonly verbose?: boolean
}

/** Adds colour or weight to a text that needs no more layout. */
export type Paint = (text: string) => string

/** The shared inputs of all renderers: width, clock, colours. */
export type Canvas = TimeContext & {
  readonly width: number
  readonly verbose: boolean
  readonly plain: Paint
  readonly dim: Paint
  readonly bold: Paint
  readonly good: Paint
  readonly warn: Paint
  readonly bad: Paint
}

/** Colours by their codes (SGR, ECMA-48): a package for them takes 10 ms to load. */
const bold = paintWith(1, 22)
const COLOURS = {
  dim: paintWith(2, 22),
  bold,
  good: paintWith(32, 39, bold),
  warn: paintWith(33, 39, bold),
  bad: paintWith(31, 39, bold),
}
const PLAIN = { dim: plain, bold: plain, good: plain, warn: plain, bad: plain }

/** The canvas for some options. */
export function createCanvas({ color, width, now, timeZone, verbose = false }: RenderOptions): Canvas {
  return {
    now,
    timeZone,
    width: Math.max(NARROWEST, Number.isFinite(width) ? width : 80),
    verbose,
    plain,
    ...(color ? COLOURS : PLAIN),
  }
}

/** A label and a text that wraps beside it: `target   wss://…`. */
export function labelled(canvas: Canvas, label: string, text: string, paint: Paint = canvas.plain): string[] {
  return hanging(canvas, padText(label, 9, 'left'), text, paint)
}

/** A text after a prefix; further lines align with the text. Only the text is painted. */
export function hanging(canvas: Canvas, prefix: string, text: string, paint: Paint = canvas.plain): string[] {
  const indent = ' '.repeat(prefix.length)
  return wrapText(text, canvas.width - prefix.length).map(
    (line, index) => (index === 0 ? prefix : indent) + paint(line),
  )
}

/** Joins blocks of lines with an empty line between them and a newline at the end; skips empty blocks. */
export function joinBlocks(blocks: readonly (readonly string[])[]): string {
  const texts = blocks
    .filter((block) => block.length > 0)
    .map((block) => block.map((line) => line.trimEnd()).join('\n'))
  return texts.length === 0 ? '' : `${texts.join('\n\n')}\n`
}

function plain(text: string): string {
  return text
}

function paintWith(open: number, close: number, inner: Paint = plain): Paint {
  return (text) => (text === '' ? '' : `\u001b[${open}m${inner(text)}\u001b[${close}m`)
}
