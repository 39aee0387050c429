import { readFileSync, statSync } from 'node:fs'
import { UsageError } from '../errors.ts'
import { decryptSecretKey, parseSecretKey } from '../nostr/secret-key.ts'
import { escapeForTerminal } from './escape.ts'
import { SECRET_VARIABLES } from './parse/option-table.ts'
import type { Environment } from './parse/raw-values.ts'
import { systemReason } from './system-reason.ts'

/** The files with the key for NIP-42 and its password; an `undefined` one may be given in the environment instead. */
export type KeyPlace = { readonly keyFile: string | undefined; readonly passwordFile: string | undefined }

/** The parts of the process that reading a key may use. */
export type KeySurroundings = {
  readonly env: Environment
  /** Takes a warning: one line without its line end. */
  readonly warn: (line: string) => void
  /** Asks for the password on the terminal; absent without one. */
  readonly askPassword?: (question: string) => Promise<string>
}

/** A text that must never be shown, and a name for its place. */
type Secret = { readonly text: string; readonly place: string }

const MAX_FILE_BYTES = 4096
const READABLE_BY_OTHERS = 0o077

/**
 * Reads the secret key for NIP-42; `undefined` if none was given. The file wins over the variable. Throws UsageError,
 * which never repeats what was read.
 */
export async function readKey(place: KeyPlace, surroundings: KeySurroundings): Promise<Uint8Array | undefined> {
  const secret = findSecret('key', place.keyFile, surroundings)
  if (secret === undefined) return undefined
  const given = parseSecretKey(secret.text)
  switch (given.type) {
    case 'key':
      return given.key
    case 'encrypted':
      return decryptKey(given.ncryptsec, secret.place, await findPassword(secret.place, place, surroundings))
    case 'public':
      throw new UsageError([`${secret.place} holds a public key: the secret key is needed (nsec1…)`])
    case 'wrong':
      throw new UsageError([`${secret.place} holds no secret key: give nsec1…, 64 hex digits, or ncryptsec1…`])
  }
}

function decryptKey(ncryptsec: string, place: string, password: string): Uint8Array {
  const key = decryptSecretKey(ncryptsec, password)
  if (key === undefined) throw new UsageError([`the password does not open the key in ${place}`])
  return key
}

async function findPassword(
  keyPlace: string,
  { passwordFile }: KeyPlace,
  surroundings: KeySurroundings,
): Promise<string> {
  const secret = findSecret('password', passwordFile, surroundings)
  if (secret !== undefined) return secret.text
  if (surroundings.askPassword !== undefined) return surroundings.askPassword(`password of the key in ${keyPlace}: `)
  throw new UsageError([
    `the key in ${keyPlace} is encrypted: give its password with --key-password-file or ${SECRET_VARIABLES.password}`,
  ])
}

function findSecret(
  what: 'key' | 'password',
  file: string | undefined,
  { env, warn }: KeySurroundings,
): Secret | undefined {
  if (file !== undefined) return { text: readSecretFile(what, file, warn), place: escapeForTerminal(file) }
  const variable = SECRET_VARIABLES[what]
  const text = env[variable] ?? ''
  return text === '' ? undefined : { text, place: variable }
}

/** Reads the first non-blank line of a small file. */
function readSecretFile(what: string, file: string, warn: (line: string) => void): string {
  try {
    const { mode, size } = statSync(file)
    if ((mode & READABLE_BY_OTHERS) !== 0) {
      const octal = (mode & 0o777).toString(8).padStart(4, '0')
      warn(
        `warning: the ${what} file ${escapeForTerminal(file)} can be read by other users (mode ${octal}): chmod 600 it`,
      )
    }
    if (size > MAX_FILE_BYTES) throw new UsageError([`the ${what} file ${file} is too large to be one`])
    const lines = readFileSync(file, 'utf8').split(/\r?\n/)
    return lines.find((line) => line.trim() !== '') ?? ''
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError([`the ${what} file ${file} cannot be read: ${systemReason(error)}`])
  }
}
