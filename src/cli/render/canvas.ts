import { Chalk } from 'chalk'
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

/** The canvas for some options. */
export function createCanvas({ color, width, now, timeZone, verbose = false }: RenderOptions): Canvas {
  const chalk = new Chalk({ level: color ? 1 : 0 })
  return {
    now,
    timeZone,
    width: Math.max(NARROWEST, Number.isFinite(width) ? width : 80),
    verbose,
    plain: (text) => text,
    dim: chalk.dim,
    bold: chalk.bold,
    good: chalk.green.bold,
    warn: chalk.yellow.bold,
    bad: chalk.red.bold,
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
export function joinBlocks(blocks: Iterable<Iterable<string>>): string {
  return [...linesOf(blocks)].join('')
}

/** The same line by line, for blocks that may be longer than memory should hold. */
export function* linesOf(blocks: Iterable<Iterable<string>>): Generator<string> {
  let hasAny = false
  for (const block of blocks) {
    let above = hasAny ? '\n' : ''
    for (const line of block) {
      yield `${above}${line.trimEnd()}\n`
      above = ''
      hasAny = true
    }
  }
}
