import { escapeForTerminal } from './escape.ts'
import { SECRET_VARIABLES } from './parse/option-table.ts'
import type { KeyPlace } from './read-key.ts'
import type { Surroundings } from './surroundings.ts'

/** Reads the key for NIP-42, if there is one; asks for its password on the terminal. */
export async function findKey(place: KeyPlace, surroundings: Surroundings): Promise<Uint8Array | undefined> {
  const { env, stderr, interruption } = surroundings
  if (place.keyFile === undefined && (env[SECRET_VARIABLES.key] ?? '') === '') return undefined
  const { readKey } = await import('./read-key.ts')
  const { stdin } = surroundings
  const warn = warnOn(surroundings)
  if (!stdin.isTTY || !stderr.isTTY) return readKey(place, { env, warn })
  const { askPassword } = await import('./ask-password.ts')
  const ask = (question: string): Promise<string> =>
    askPassword(question, { input: stdin, output: stderr, signal: interruption.signal })
  return readKey(place, { env, warn, askPassword: ask })
}

/** Tells a warning on standard error. */
export function warnOn({ stderr }: Surroundings): (line: string) => void {
  return (line) => void stderr.write(`${escapeForTerminal(line)}\n`)
}
