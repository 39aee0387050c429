import type { ProfileLine } from './config/parse-profiles.ts'
import { exitCodeOf, exitWord, worstExit } from './exit-codes.ts'
import type { Interruption } from './interruption.ts'
import { wishOf, type ScriptWish } from './script-wish.ts'
import type { TellScript } from './tell-script.ts'

/** What stands above all that is printed of one profile. `text` ends with a newline. */
export type Heading = { readonly profile: string; readonly text: string }

/** Where a failure is told, and of which command. */
export type Telling = {
  readonly stderr: Pick<NodeJS.WriteStream, 'write'>
  readonly interruption: Interruption
  readonly command: string | undefined
  readonly tellScript: TellScript
}

/** Runs one profile after the other, whatever becomes of each; only a signal ends the rest. Returns the worst exit code. */
export async function runProfiles(
  lines: readonly ProfileLine[],
  telling: Telling,
  run: (line: ProfileLine['line'], heading: Heading) => Promise<number>,
): Promise<number> {
  const exits: number[] = []
  for (const [index, { profile, line }] of lines.entries()) {
    const heading = { profile, text: `${index === 0 ? '' : '\n'}profile  ${profile}\n` }
    exits.push(await tellingFailure(telling, () => run(line, heading), { heading, wish: wishOf(line) }))
    if (telling.interruption.exitCode() !== undefined) break
  }
  if (needsSummary(lines, exits)) telling.stderr.write(renderSummary(lines, exits))
  return telling.interruption.exitCode() ?? worstExit(exits)
}

/** Returns the exit code of the work; after a failure, tells it on standard error and returns its code. */
export async function tellingFailure(
  { stderr, interruption, command, tellScript }: Telling,
  work: () => Promise<number>,
  { heading, wish }: { readonly heading?: Heading; readonly wish?: ScriptWish | undefined } = {},
): Promise<number> {
  try {
    return await work()
  } catch (error) {
    const code = interruption.exitCode()
    const above = heading?.text ?? ''
    const exit = code ?? exitCodeOf(error)
    const told = code === undefined ? error : new Error('interrupted')
    await tellScript({ error: told, exit, profile: heading?.profile }, wish).catch(ignore)
    if (code !== undefined) stderr.write('interrupted\n')
    else stderr.write(above + (await import('./render/render-error.ts')).renderError(error, command))
    return exit
  }
}

function ignore(): void {
  // Standard output may be what failed; standard error tells it below.
}

/** The last report says nothing of the others: a failure among them must not go unseen above it. */
function needsSummary(lines: readonly ProfileLine[], exits: readonly number[]): boolean {
  const runs = lines.flatMap(({ line }) => (line.type === 'run' ? [line] : []))
  const isQuiet = runs.every(({ output }) => output.quiet || output.json)
  return runs.length > 1 && (!isQuiet || exits.some((exit) => exit !== 0))
}

function renderSummary(lines: readonly ProfileLine[], exits: readonly number[]): string {
  const ends = lines.map(({ profile }, index) => {
    const exit = exits[index]
    return `  ${profile}: ${exit === undefined ? 'not run' : `${exitWord(exit)} (${exit})`}\n`
  })
  return `\nprofiles\n${ends.join('')}`
}
