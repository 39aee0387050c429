import { COMMAND_NAMES } from './parse/command-table.ts'
import type { Failure } from './render/render-failure.ts'

/** Writes a document about a failure where scripts want one. */
export type TellScript = (failure: Failure) => Promise<void>

/**
 * With `--json` scripts get a document however a run ends: on standard output, or on standard error where the other is
 * taken by events. Without it nothing is written.
 */
export function createScriptTeller(
  argv: readonly string[],
  { env, stdout, stderr }: Pick<NodeJS.Process, 'env' | 'stdout' | 'stderr'>,
): TellScript {
  return async (failure) => {
    if (!argv.includes('--json') && !/^(?:1|true|yes|on)$/i.test(env['NGIT_SYNC_JSON'] ?? '')) return
    const { renderFailure } = await import('./render/render-failure.ts')
    const { writeOutput } = await import('./write-output.ts')
    const isStdoutTaken = [...argv, env['NGIT_SYNC_TARGET'], env['NGIT_SYNC_OUTPUT']].includes('-')
    const command = COMMAND_NAMES.find((name) => name === argv[0])
    await writeOutput(isStdoutTaken ? stderr : stdout, renderFailure({ ...failure, command }))
  }
}
