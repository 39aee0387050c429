// npm run checks: lint, types and import rules, side by side. Alone, eslint takes as long as all others together.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const CHECKS = ['lint:code', 'lint:format', 'types', 'imports']

/** Prints what a check printed once it has ended, so that two are never mixed; returns its exit code. */
async function run(check) {
  const child = spawn('npm', ['run', '--silent', check], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  const pieces = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece) => pieces.push(piece))
  const [code] = await once(child, 'close')
  process.stderr.write(Buffer.concat(pieces))
  if (code !== 0) process.stderr.write(`failed: npm run ${check}\n`)
  return code ?? 1
}

const codes = await Promise.all(CHECKS.map(run))
process.exitCode = Math.max(...codes)
