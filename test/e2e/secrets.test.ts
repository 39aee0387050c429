import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { nsecEncode } from 'nostr-tools/nip19'
import { encrypt } from 'nostr-tools/nip49'
import { describe, expect, it } from 'vitest'

import { runCli } from '../support/run-cli.ts'
import { runHere } from '../support/run-here.ts'
import { smallRepository } from '../support/scenes.ts'
import { keyOf } from '../support/sign.ts'
import { createWorkbench, endArguments, type Workbench } from '../support/workbench.ts'

const { secret } = keyOf('operator')
const HEX = Buffer.from(secret).toString('hex')
const NSEC = nsecEncode(secret)
const PASSWORD = 'correct horse battery staple'
// The cheapest scrypt: 2^1.
const NCRYPTSEC = encrypt(secret, PASSWORD, 1)
const RAW = Buffer.from(secret).toString('latin1')
const SECRETS = [HEX, HEX.toUpperCase(), NSEC, NCRYPTSEC, PASSWORD, RAW, Buffer.from(secret).toString('base64')]

type Given = { readonly args?: readonly string[]; readonly env?: Readonly<Record<string, string>> }

/** A file outside of the home of the run. */
function secretFile(bench: Workbench, name: string, text: string): string {
  writeFileSync(bench.path(name), `${text}\n`, { mode: 0o600 })
  return bench.path(name)
}

const FORMS: Readonly<Record<string, (bench: Workbench) => Given>> = {
  'hex in the environment': () => ({ env: { NGIT_SYNC_KEY: HEX } }),
  'nsec in the environment': () => ({ env: { NGIT_SYNC_KEY: NSEC } }),
  'hex in a file': (bench) => ({ args: ['--key-file', secretFile(bench, 'key', HEX)] }),
  'nsec in a file': (bench) => ({ args: ['--key-file', secretFile(bench, 'key', NSEC)] }),
  'ncryptsec in a file': (bench) => ({
    args: ['--key-file', secretFile(bench, 'key', NCRYPTSEC)],
    env: { NGIT_SYNC_KEY_PASSWORD: PASSWORD },
  }),
  'ncryptsec and its password in files': (bench) => ({
    args: [
      ...['--key-file', secretFile(bench, 'key', NCRYPTSEC)],
      ...['--key-password-file', secretFile(bench, 'password', PASSWORD)],
    ],
  }),
  'ncryptsec with a wrong password': () => ({
    env: { NGIT_SYNC_KEY: NCRYPTSEC, NGIT_SYNC_KEY_PASSWORD: `${PASSWORD}!` },
  }),
  'nsec with a character too many': () => ({ env: { NGIT_SYNC_KEY: `${NSEC}q` } }),
  'hex with a character too few': (bench) => ({ args: ['--key-file', secretFile(bench, 'key', HEX.slice(1))] }),
}

/** For these the program has a process of its own, whose directory is searched as well; for others it runs here. */
const OWN_PROCESS = ['hex in the environment', 'ncryptsec and its password in files']

/** Every file below a directory, as bytes that can be searched. */
function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'latin1'))
}

describe('a key given as', () => {
  it.each(Object.entries(FORMS))('%s stands in no output and in no file', async (name, give) => {
    const bench = createWorkbench()
    const { events } = smallRepository()
    const source = await bench.scripted({ events, requireAuth: ['read'] })
    const target = await bench.scripted({ requireAuth: ['read', 'write'] })
    const home = bench.path('home')
    mkdirSync(home)
    const { args = [], env = {} } = give(bench)
    const ends = endArguments(source, target)
    const run = OWN_PROCESS.includes(name) ? runCli : runHere
    const outputs: string[] = []
    const codes: (number | null)[] = []
    for (const command of [
      ['catchup', ...ends, ...args],
      ['catchup', ...ends, '--verbose', '--full', ...args],
      ['catchup', ...ends, '--json', '--full', ...args],
      ['check', ...ends, '--json', ...args],
      ['relay', target.url, ...args],
      ['status', '--json'],
    ]) {
      const options = { env: { HOME: home, XDG_CONFIG_HOME: join(home, 'config'), ...env }, cwd: home, stateDir: home }
      const { code, stdout, stderr } = await run(command, options)
      codes.push(code)
      outputs.push(stdout, stderr)
    }
    const isWrong = /wrong|too/.test(name)
    expect(codes.slice(0, 5)).toEqual(Array.from({ length: 5 }, () => (isWrong ? 2 : 0)))
    expect(target.events.size).toBe(isWrong ? 0 : events.length)
    const files = filesBelow(home)
    if (!isWrong) expect(files.length).toBeGreaterThan(1)
    const shown = SECRETS.filter((text) => [...outputs, ...files].some((where) => where.includes(text)))
    expect(shown).toEqual([])
  })
})
