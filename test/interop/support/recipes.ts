import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A relay that no one here wrote, and how its ordinary client installs it from a package registry. */
export type Recipe = {
  readonly name: RelayName
  /** Of the package; an installation of another version is not used. */
  readonly version: string
  /** The programs that must be there, each with how to get it. */
  readonly tools: readonly Tool[]
  /** Files of this directory that decide what is installed: another content is another installation. */
  readonly pinnedBy: readonly string[]
  readonly steps: (directory: string) => readonly Step[]
}

export const RELAY_NAMES = ['rust-nostr', 'nostr-rs-relay', 'rnostr', 'nostr-relay', 'monstr'] as const

export type RelayName = (typeof RELAY_NAMES)[number]

type Tool = { readonly program: string; readonly hint: string }
type Step = { readonly program: string; readonly args: readonly string[]; readonly env?: NodeJS.ProcessEnv }

const CARGO: Tool = { program: 'cargo', hint: 'https://rustup.rs' }
const CC: Tool = { program: 'cc', hint: 'apt-get install build-essential' }
const PROTOC: Tool = { program: 'protoc', hint: 'apt-get install protobuf-compiler' }
const PYTHON: Tool = { program: 'python3', hint: 'apt-get install python3 python3-venv' }

// What is tested is the relay's behaviour: an unoptimised build has the same and takes a third of the time.
const QUICK_BUILD = {
  CARGO_PROFILE_RELEASE_OPT_LEVEL: '0',
  CARGO_PROFILE_RELEASE_DEBUG: '0',
  CARGO_PROFILE_RELEASE_LTO: 'off',
  CARGO_PROFILE_RELEASE_CODEGEN_UNITS: '16',
}

const RECIPES: Readonly<Record<RelayName, Recipe>> = {
  'rust-nostr': {
    name: 'rust-nostr',
    version: '0.44.1',
    tools: [CARGO, CC],
    pinnedBy: ['rust-nostr/Cargo.lock', 'rust-nostr/src/main.rs'],
    steps: (directory) => [buildCrate('rust-nostr', directory)],
  },
  'nostr-rs-relay': {
    name: 'nostr-rs-relay',
    version: '0.8.12',
    tools: [CARGO, CC, PROTOC],
    pinnedBy: ['nostr-rs-relay/Cargo.lock', 'nostr-rs-relay/src/main.rs'],
    steps: (directory) => [buildCrate('nostr-rs-relay', directory)],
  },
  rnostr: {
    name: 'rnostr',
    version: '0.4.8',
    tools: [CARGO, CC],
    pinnedBy: [],
    steps: (directory) => [
      cargo(['install', '--locked', ...jobs(), '--root', directory, '--target-dir', targetOf(directory), 'rnostr@0.4.8']),
    ],
  },
  'nostr-relay': {
    name: 'nostr-relay',
    version: '1.14',
    tools: [PYTHON],
    pinnedBy: ['nostr-relay/requirements.txt'],
    steps: (directory) => installFromPyPi('nostr-relay', directory),
  },
  monstr: {
    name: 'monstr',
    version: '0.1.9',
    tools: [PYTHON],
    pinnedBy: ['monstr/requirements.txt'],
    steps: (directory) => installFromPyPi('monstr', directory),
  },
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
  const { version, pinnedBy } = RECIPES[name]
  const hash = createHash('sha256')
  for (const file of pinnedBy) hash.update(readFileSync(fileHere(file)))
  const pin = pinnedBy.length === 0 ? '' : `-${hash.digest('hex').slice(0, 8)}`
  return join(NGIT_SYNC_INTEROP_CACHE ?? join(XDG_CACHE_HOME, 'ngit-sync-interop'), `${name}-${version}${pin}`)
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
  const isMissing = ({ program }: Tool): boolean => spawnSync(program, ['--version'], { stdio: 'ignore' }).error !== undefined
  return RECIPES[name].tools.filter(isMissing).map(({ program, hint }) => `${program} (${hint})`)
}

/** Installs a relay; throws with the end of the log when a step fails. What a failed attempt left is removed first. */
export function install(name: RelayName): void {
  const directory = directoryOf(name)
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  for (const step of RECIPES[name].steps(directory)) runStep(step, join(directory, 'install.log'))
  rmSync(targetOf(directory), { recursive: true, force: true })
  writeFileSync(markerOf(name), '')
}

function markerOf(name: RelayName): string {
  return join(directoryOf(name), 'installed')
}

function runStep({ program, args, env }: Step, log: string): void {
  const output = openSync(log, 'a')
  const { status, error } = spawnSync(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', output, output] })
  closeSync(output)
  if (status === 0) return
  const end = readFileSync(log, 'utf8').trimEnd().split('\n').slice(-15).join('\n')
  throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? `exit ${status}`}; ${log} ends with\n${end}`)
}

/** Builds the crate of that name beside the tests, and moves its program into `bin`. */
function buildCrate(name: RelayName, directory: string): Step {
  const manifest = fileHere(`${name}/Cargo.toml`)
  return cargo(['install', '--locked', ...jobs(), '--root', directory, '--target-dir', targetOf(directory), '--path', join(manifest, '..')])
}

function cargo(args: readonly string[]): Step {
  return { program: 'cargo', args, env: QUICK_BUILD }
}

/** NGIT_SYNC_INTEROP_JOBS: how many compilers run at once. */
function jobs(): string[] {
  return ['--jobs', process.env['NGIT_SYNC_INTEROP_JOBS'] ?? String(availableParallelism())]
}

function targetOf(directory: string): string {
  return join(directory, 'target')
}

function installFromPyPi(name: RelayName, directory: string): Step[] {
  const python = join(directory, 'bin', 'python')
  return [
    { program: 'python3', args: ['-m', 'venv', directory] },
    { program: python, args: ['-m', 'pip', 'install', '--no-deps', '--requirement', fileHere(`${name}/requirements.txt`)] },
  ]
}
