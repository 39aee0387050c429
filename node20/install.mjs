// Runs after the package was installed. Node 20 has no SQLite of its own: it gets better-sqlite3, here beside this file,
// compiled if no binary can be fetched. Newer Node needs nothing. As an ordinary dependency it would be compiled on
// every Node, because npm cannot tell them apart (docs/decisions/0011).
// A failure does not fail the installation: the program says what is missing when it is started.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const require = createRequire(import.meta.url)
const directory = fileURLToPath(new URL('.', import.meta.url))

function hasNodeSqlite() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  return major >= 24 || (major === 22 && minor >= 16)
}

function isInstalled() {
  try {
    return require('better-sqlite3/package.json').version.startsWith('12.')
  } catch {
    return false
  }
}

function install(npm) {
  // The settings of the npm that runs this come by the environment; where to install is another matter.
  const place = ['--global=false', '--location=project', `--prefix=${directory}`]
  const options = ['--no-package-lock', '--no-audit', '--no-fund']
  const { status } = spawnSync(process.execPath, [npm, 'install', ...place, ...options], {
    cwd: directory,
    stdio: 'inherit',
  })
  if (status !== 0) console.error('ngit-sync: better-sqlite3 could not be installed, which Node 20 needs')
}

const npm = process.env.npm_execpath ?? ''
if (!hasNodeSqlite() && !isInstalled() && npm.endsWith('npm-cli.js')) install(npm)
