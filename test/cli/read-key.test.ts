import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encrypt } from 'nostr-tools/nip49'
import { nsecEncode } from 'nostr-tools/nip19'
import { describe, expect, it } from 'vitest'

import { readKey, type KeyPlace, type KeySurroundings } from '../../src/cli/read-key.ts'
import { UsageError } from '../../src/errors.ts'
import { temporaryDirectory } from '../support/temporary-state.ts'
import { keyOf } from '../support/sign.ts'

const { secret, pubkey } = keyOf('somebody')
const KEY = Uint8Array.from(secret)
const NSEC = nsecEncode(secret)
const NCRYPTSEC = encrypt(secret, 'open sesame', 1)
const NOWHERE: KeyPlace = { keyFile: undefined, passwordFile: undefined }

function secretFile(text: string, mode = 0o600): string {
  const file = join(temporaryDirectory(), 'secret')
  writeFileSync(file, text)
  chmodSync(file, mode)
  return file
}

function surroundings(env: Record<string, string> = {}, more: Partial<KeySurroundings> = {}): KeySurroundings {
  return { env, warn: () => undefined, ...more }
}

async function problemOf(place: Partial<KeyPlace>, env: Record<string, string> = {}): Promise<string> {
  const thrown: unknown = await readKey({ ...NOWHERE, ...place }, surroundings(env)).catch((error: unknown) => error)
  expect(thrown).toBeInstanceOf(UsageError)
  return thrown instanceof UsageError ? thrown.problems.join('\n') : ''
}

describe('readKey', () => {
  it('finds nothing where nothing is given', async () => {
    expect(await readKey(NOWHERE, surroundings())).toBeUndefined()
  })

  it.each([
    ['alone', NSEC],
    ['with a line end', `${NSEC}\r\n`],
    ['behind blank lines', `\n  \n${NSEC}\n`],
  ])('reads the key in a file, %s', async (_, text) => {
    expect(await readKey({ ...NOWHERE, keyFile: secretFile(text) }, surroundings())).toEqual(KEY)
  })

  it('reads the key in NGIT_SYNC_KEY', async () => {
    expect(await readKey(NOWHERE, surroundings({ NGIT_SYNC_KEY: NSEC }))).toEqual(KEY)
  })

  it('prefers the file', async () => {
    const keyFile = secretFile(NSEC)
    expect(await readKey({ ...NOWHERE, keyFile }, surroundings({ NGIT_SYNC_KEY: 'no key' }))).toEqual(KEY)
  })

  it('opens an encrypted key with a password from a file, from the environment or from the terminal', async () => {
    const keyFile = secretFile(NCRYPTSEC)
    const passwordFile = secretFile('open sesame\n')
    const asked: string[] = []
    const askPassword = async (question: string): Promise<string> => {
      asked.push(question)
      return 'open sesame'
    }
    expect(await readKey({ keyFile, passwordFile }, surroundings({ NGIT_SYNC_KEY_PASSWORD: 'wrong' }))).toEqual(KEY)
    expect(await readKey({ ...NOWHERE, keyFile }, surroundings({ NGIT_SYNC_KEY_PASSWORD: 'open sesame' }))).toEqual(KEY)
    expect(await readKey({ ...NOWHERE, keyFile }, surroundings({}, { askPassword }))).toEqual(KEY)
    expect(asked).toEqual([`password of the key in ${keyFile}: `])
  })

  it.each([0o644, 0o640, 0o604])('warns of a file of mode %o, and reads it', async (mode) => {
    const warnings: string[] = []
    const keyFile = secretFile(NSEC, mode)
    const warn = (line: string): void => void warnings.push(line)
    expect(await readKey({ ...NOWHERE, keyFile }, surroundings({}, { warn }))).toEqual(KEY)
    expect(warnings).toEqual([
      `warning: the key file ${keyFile} can be read by other users (mode 0${mode.toString(8)}): chmod 600 it`,
    ])
  })
})

describe('a key that cannot be used', () => {
  it.each([
    ['is no key', `${NSEC}x`, /holds no secret key: give nsec1…/],
    ['is empty', '', /holds no secret key/],
    ['is a public key', `npub1${pubkey}`, /holds a public key/],
    ['is encrypted and nobody knows the password', NCRYPTSEC, /is encrypted: give its password/],
  ])('is told in one line without its text, when it %s', async (_, text, problem) => {
    const keyFile = secretFile(text)
    const line = await problemOf({ keyFile })
    expect(line).toMatch(problem)
    expect(line).toContain(keyFile)
    if (text !== '') expect(line).not.toContain(text)
    expect(line).not.toContain('\n')
  })

  it('is not repeated from the environment either', async () => {
    expect(await problemOf({}, { NGIT_SYNC_KEY: 'hunter2' })).toBe(
      'NGIT_SYNC_KEY holds no secret key: give nsec1…, 64 hex digits, or ncryptsec1…',
    )
  })

  it('is told from one with a wrong password', async () => {
    const keyFile = secretFile(NCRYPTSEC)
    const line = await problemOf({ keyFile }, { NGIT_SYNC_KEY_PASSWORD: 'hunter2' })
    expect(line).toBe(`the password does not open the key in ${keyFile}`)
  })

  it('is named by its file, which is missing, a directory or too large', async () => {
    const directory = temporaryDirectory()
    expect(await problemOf({ keyFile: join(directory, 'none') })).toBe(
      `the key file ${directory}/none cannot be read: no such file`,
    )
    expect(await problemOf({ keyFile: directory })).toBe(`the key file ${directory} cannot be read: it is a directory`)
    expect(await problemOf({ keyFile: secretFile('x'.repeat(5000)) })).toMatch(/is too large to be one$/)
  })
})
