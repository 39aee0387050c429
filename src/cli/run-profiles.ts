import { exitCodeOf, worstExit } from './exit-codes.ts'
import type { Interruption } from './interruption.ts'
import type { ProfileLine } from './config/parse-profiles.ts'

/** What stands above all that is printed of one profile. `text` ends with a newline. */
export type Heading = { readonly profile: string; readonly text: string }

/** Where a failure is told, and of which command. */
export type Telling = {
  readonly stderr: Pick<NodeJS.WriteStream, 'write'>
  readonly interruption: Interruption
  readonly command: string | undefined
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
    exits.push(await tellingFailure(telling, () => run(line, heading), heading))
    const code = telling.interruption.exitCode()
    if (code !== undefined) return code
  }
  return worstExit(exits)
}

/** Returns the exit code of the work; after a failure, tells it on standard error and returns its code. */
export async function tellingFailure(
  { stderr, interruption, command }: Telling,
  work: () => Promise<number>,
  heading?: Heading,
): Promise<number> {
  try {
    return await work()
  } catch (error) {
    const code = interruption.exitCode()
    const above = heading?.text ?? ''
    if (code !== undefined) stderr.write('interrupted\n')
    else stderr.write(above + (await import('./render/render-error.ts')).renderError(error, command))
    return code ?? exitCodeOf(error)
  }
}
