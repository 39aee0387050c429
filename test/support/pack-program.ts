import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  export interface ProvidedContext {
    /** The directory of the packed program, as it is installed. */
    readonly packed: string
  }
}

type Manifest = {
  readonly dependencies: Readonly<Record<string, string>>
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/**
 * Packs the checkout as it is built now and unpacks it as an installation, so that the tests start what users get. Of
 * the checkout's packages it finds only those that `package.json` names. Returns what removes it.
 */
export default function packProgram(project: TestProject): () => void {
  const prefix = mkdtempSync(join(tmpdir(), 'ngit-sync packed '))
  const packed = join(prefix, 'lib/node_modules/ngit-sync')
  const install = (): void => {
    rmSync(packed, { recursive: true, force: true })
    unpackInto(packed)
    linkPackages(packed)
  }
  install()
  // Whoever watches files may have built again.
  project.onTestsRerun(install)
  project.provide('packed', packed)
  return () => rmSync(prefix, { recursive: true, force: true })
}

function unpackInto(directory: string): void {
  mkdirSync(directory, { recursive: true })
  const options = ['--silent', '--ignore-scripts', '--offline', '--pack-destination', directory]
  const name = execFileSync('npm', ['pack', ...options], { cwd: ROOT, encoding: 'utf8' }).trim()
  execFileSync('tar', ['-xzf', name, '--strip-components=1'], { cwd: directory })
  rmSync(join(directory, name))
}

function linkPackages(directory: string): void {
  const { dependencies } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as Manifest
  for (const name of Object.keys(dependencies)) link(name, directory)
  // What node20/install.mjs does.
  if (process.versions.node.startsWith('20.')) link('better-sqlite3', join(directory, 'node20'))
}

function link(name: string, directory: string): void {
  const place = join(directory, 'node_modules', name)
  const installed = join(ROOT, 'node_modules', name)
  if (!existsSync(installed)) throw new Error(`${name} is not installed here: npm ci`)
  mkdirSync(dirname(place), { recursive: true })
  symlinkSync(installed, place)
}
