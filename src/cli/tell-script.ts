import { COMMAND_NAMES } from './parse/command-table.ts'
import { isOn } from './parse/parsed.ts'
import type { Failure } from './render/render-failure.ts'
import type { ScriptWish } from './script-wish.ts'

/** Writes a document about a failure where scripts want one; `wish` undefined if the options could not be read. */
export type TellScript = (failure: Failure, wish: ScriptWish | undefined) => Promise<void>

/**
 * With `--json`, wherever it was given, scripts get a document however a run ends: on standard output, or on standard
 * error where the other is taken by events. Without it nothing is written. While the options are unknown, the words of
 * the command line and the environment say it.
 */
export function createScriptTeller(
  argv: readonly string[],
  { env, stdout, stderr }: Pick<NodeJS.Process, 'env' | 'stdout' | 'stderr'>,
): TellScript {
  const guess = (): ScriptWish => ({
    json: argv.includes('--json') || isOn(env['NGIT_SYNC_JSON'] ?? ''),
    isStdoutTaken: [...argv, env['NGIT_SYNC_TARGET'], env['NGIT_SYNC_OUTPUT']].includes('-'),
  })
  return async (failure, wish = guess()) => {
    if (!wish.json) return
    const { renderFailure } = await import('./render/render-failure.ts')
    const { writeOutput } = await import('./write-output.ts')
    const command = COMMAND_NAMES.find((name) => name === argv[0])
    await writeOutput(wish.isStdoutTaken ? stderr : stdout, renderFailure({ ...failure, command }))
  }
}
