import { listenForInterruption } from './interruption.ts'
import { runProgram } from './run-program.ts'

/** The program: parses the command line of this process, runs it, and returns the exit code. */
export async function main(): Promise<number> {
  const interruption = listenForInterruption()
  const { env, stdout, stderr } = process
  for (const stream of [stdout, stderr]) stream.on('error', ignoreClosedPipe)
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

/** A reader that goes away (`| head`) does not affect the run. */
function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
}
