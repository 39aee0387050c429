import type { Report } from '../report/report.ts'
import type { OutputOptions } from './parse/options.ts'
import type { RenderOptions } from './render/canvas.ts'

const DEFAULT_WIDTH = 80

/** Prints a report as the operator wants it: no text with `--quiet` when all is well, but always a document. */
export async function printReport(
  report: Report,
  output: OutputOptions,
  stream: NodeJS.WriteStream,
  heading = '',
): Promise<void> {
  if (output.quiet && !output.json && (await import('./render/all-well.ts')).isAllWell(report)) return
  const { writePieces } = await import('./write-output.ts')
  if (output.json) {
    const { jsonPieces } = await import('./render/render-json.ts')
    return writePieces(stream, jsonPieces(report))
  }
  const { reportLines } = await import('./render/render-table.ts')
  await writePieces(stream, below(heading, reportLines(report, renderingFor(output, stream))))
}

function* below(heading: string, lines: Iterable<string>): Generator<string> {
  yield heading
  yield* lines
}

/** How a text looks on this stream. */
export function renderingFor(
  { color, verbose }: Pick<OutputOptions, 'color' | 'verbose'>,
  stdout: NodeJS.WriteStream,
): RenderOptions {
  return { color: color && stdout.isTTY, width: widthOf(stdout), now: nowSeconds(), verbose }
}

export function widthOf(stream: NodeJS.WriteStream): number {
  return stream.isTTY ? stream.columns : DEFAULT_WIDTH
}

export function nowSeconds(): number {
  return Math.floor(Date.now() / 1000)
}
