import { listenForInterruption } from './interruption.ts'
import { runProgram } from './run-program.ts'

/** The program: parses the command line of this process, runs it, and returns the exit code. */
export async function main(): Promise<number> {
  const interruption = listenForInterruption()
  const { env, stdout, stderr } = process
  // Each write to standard output learns of its own failure, and of one to standard error nobody could be told.
  for (const stream of [stdout, stderr]) stream.on('error', () => undefined)
  try {
    return await runProgram(process.argv.slice(2), {
      ...{ env, stdout, stderr, interruption },
      get stdin() {
        return process.stdin
      },
    })
  } finally {
    interruption.dispose()
  }
}
