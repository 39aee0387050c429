// Brings a checkout to the state that its scripts need: the locked dependencies, and a build that is not stale.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const modified = (file) => (existsSync(join(root, file)) ? statSync(join(root, file)).mtimeMs : 0)

function run(command, args) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  if (status !== 0) process.exit(status ?? 1)
}

function newestSource() {
  const files = readdirSync(join(root, 'src'), { recursive: true }).filter((file) => file.endsWith('.ts'))
  return Math.max(modified('tsconfig.json'), ...files.map((file) => modified(join('src', file))))
}

/** The compiler leaves what it made of a source that has gone since; it would be packed. */
function removeOrphans() {
  const modules = readdirSync(join(root, 'dist'), { recursive: true }).filter((file) =>
    /\.(js|js\.map|d\.ts)$/.test(file),
  )
  const orphans = modules.filter((file) => !existsSync(join(root, 'src', file.replace(/\.js$/, '.ts'))))
  for (const file of orphans) rmSync(join(root, 'dist', file))
}

if (modified('node_modules/.package-lock.json') < modified('package-lock.json')) {
  // Only Node 20 needs a package that is compiled (docs/decisions/0011).
  const scripts = process.versions.node.startsWith('20.') ? [] : ['--ignore-scripts']
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error', ...scripts])
}
if (modified('dist/.tsbuildinfo') < newestSource()) {
  run('node', ['node_modules/typescript/bin/tsc', '-p', '.'])
}
removeOrphans()
