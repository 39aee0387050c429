import { execFileSync, spawnSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** What a command wrote, and its exit code. */
export type Output = { readonly code: number | null; readonly stdout: string; readonly stderr: string }

/** A machine with one Node and its npm, a shell and nothing else: no compiler, no Python, no git. */
export type Place = {
  /** Where packages come from. */
  readonly registry: string
  /** Installs the packed program for all users, as README says; what npm fetches stands on standard error. */
  install(env?: NodeJS.ProcessEnv): Output
  /** Runs the installed program. */
  run(...args: readonly string[]): Output
  /** The installed files. */
  files(): readonly { readonly path: string; readonly bytes: number }[]
  /** A file below the home directory. */
  write(path: string, text: string): void
  read(path: string): string
  close(): void
}

/** Packs the checkout as it is built, for a machine with this Node. */
export function createPlace(node: string): Place {
  const directory = mkdtempSync(join(tmpdir(), 'ngit-sync install '))
  const [bin, prefix, home] = ['bin', 'prefix', 'home'].map((name) => join(directory, name)) as [string, string, string]
  for (const made of [bin, prefix, home]) mkdirSync(made)
  symlinkSync(node, join(bin, 'node'))
  symlinkSync('/bin/sh', join(bin, 'sh'))
  const registry = ask('npm', 'config', 'get', 'registry')
  const userconfig = ask('npm', 'config', 'get', 'userconfig')
  const tarball = ask('npm', 'pack', '--silent', '--ignore-scripts', '--pack-destination', directory)
  const npm = join(ask('npm', 'root', '--global'), 'npm/bin/npm-cli.js')
  const start = (args: readonly string[], more: NodeJS.ProcessEnv = {}): Output => {
    // Proxies, certificates and the registry stay as they are here.
    const env = { ...process.env, PATH: bin, HOME: home, npm_config_userconfig: userconfig, ...more }
    const { status, stdout, stderr } = spawnSync(node, args, { env, cwd: home, encoding: 'utf8', timeout: 120_000 })
    return { code: status, stdout, stderr }
  }
  const options = ['--global', '--prefix', prefix, '--loglevel=http', '--no-audit']
  return {
    registry,
    install: (env) => start([npm, 'install', ...options, join(directory, tarball)], env),
    run: (...args) => start([join(prefix, 'lib/node_modules/ngit-sync/bin/ngit-sync.js'), ...args]),
    files: () => listFiles(prefix),
    write: (path, text) => {
      mkdirSync(dirname(join(home, path)), { recursive: true })
      writeFileSync(join(home, path), text)
    },
    read: (path) => readFileSync(join(home, path), 'utf8'),
    close: () => rmSync(directory, { recursive: true, force: true }),
  }
}

function listFiles(directory: string): { path: string; bytes: number }[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .map((path) => ({ path, bytes: statSync(path).size }))
}

function ask(command: string, ...args: readonly string[]): string {
  return execFileSync(command, args, { cwd: ROOT, encoding: 'utf8' }).trim()
}
