import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { startNode } from './support/child.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
/** As the compiler writes them: a static or dynamic import, `require`, a file named by its place beside the module. */
const IMPORTED = /(?:\} from |^import |\bimport\(|\brequire\(|\bnew URL\(|^import \w+ from )['"]([^'"]+)['"]/gm

/** What the pages of the package name, though only a checkout has it. */
const FOR_CHECKOUTS = /^(CONTRIBUTING\.md|Containerfile|bench|test|src|scripts)(\/|$)/

type Packed = { readonly path: string; readonly size: number }
type Manifest = {
  readonly bin: Readonly<Record<string, string>>
  readonly exports: Readonly<Record<string, string>>
  readonly man: string
  readonly dependencies: Readonly<Record<string, string>>
  readonly peerDependencies: Readonly<Record<string, string>>
}

const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest
let packed: readonly Packed[] = []
let paths: readonly string[] = []

beforeAll(async () => {
  packed = await listPacked()
  paths = packed.map(({ path }) => path)
})

describe('the package', () => {
  it('holds the program, its schema and the files that package.json names', () => {
    const named = [...Object.values(manifest.bin), ...Object.values(manifest.exports), manifest.man]
    const always = ['dist/cli/main.js', 'node20/install.mjs', 'README.md', 'LICENSE']
    expect(paths).toEqual(expect.arrayContaining([...always, ...named.map((path) => path.replace('./', ''))]))
  })

  it('holds what its pages point to, except what only a checkout needs', () => {
    const pages = paths.filter((path) => path.endsWith('.md') && !/^(CONTRIBUTING|CHANGELOG)/.test(path))
    expect(pages.length).toBeGreaterThan(10)
    const missing = pages
      .flatMap((page) => linksOf(page))
      .filter((link) => !FOR_CHECKOUTS.test(link) && !isPacked(link))
    expect(missing).toEqual([])
  })

  it.each([
    ['tests', /(^|\/)test\/|\.test\./],
    ['sources', /^(?!.*\.d\.ts$).*\.ts$/],
    ['source maps', /\.map$/],
    ['declarations, as nothing can be imported', /\.d\.ts$/],
    ['build info', /\.tsbuildinfo$/],
    ['scripts and benchmarks', /^(scripts|bench|dist-bench)\//],
  ])('holds no %s', (_, pattern) => {
    expect(paths.filter((path) => pattern.test(path))).toEqual([])
  })

  it('holds no page of more than 100 kB', () => {
    expect(packed.filter(({ path, size }) => path.startsWith('docs/') && size > 100_000)).toEqual([])
  })

  it('holds the modules that the program can reach, and no others', () => {
    const reached = [...reachFrom('bin/ngit-sync.js')]
    expect(paths).toEqual(expect.arrayContaining(reached))
    const modules = paths.filter((path) => path.endsWith('.js') && !isEmptied(path))
    expect(modules.filter((path) => !reached.includes(path))).toEqual([])
  })

  it('depends on the packages that the program imports, and on no others', () => {
    const names = [...reachFrom('bin/ngit-sync.js')].flatMap(importsOf)
    const packages = names.filter((name) => !name.startsWith('.') && !name.startsWith('node:')).map(packageOf)
    const needed = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })
    expect([...new Set(packages)].toSorted()).toEqual(needed.toSorted())
  })
})

describe('the packed program, installed in a place with a space in its name', () => {
  const installed = inject('packed')
  const home = mkdtempSync(join(tmpdir(), 'ngit-sync-home-'))
  afterAll(() => rmSync(home, { recursive: true, force: true }))

  it('is what is packed, and nothing else', () => {
    const files = readdirSync(installed, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => relative(installed, join(parentPath, name)))
    expect(files.toSorted()).toEqual(paths.toSorted())
  })

  it('says its version and plays the demo', async () => {
    expect(await run('--version')).toEqual({ code: 0, signal: null })
    expect(await run('demo')).toEqual({ code: 0, signal: null })
  })

  it('lets a program find the schema, and import nothing', async () => {
    const user = join(home, 'user.mjs')
    mkdirSync(join(home, 'node_modules'))
    symlinkSync(installed, join(home, 'node_modules/ngit-sync'))
    writeFileSync(
      user,
      `import { createRequire } from 'node:module'
       console.log(createRequire(import.meta.url)('ngit-sync/report.schema.json').title)
       await import('ngit-sync').catch(({ code }) => console.log(code))`,
    )
    const { stdout } = await promisify(execFile)(process.execPath, [user])
    expect(stdout).toBe('ngit-sync report, version 1\nERR_PACKAGE_PATH_NOT_EXPORTED\n')
  })

  function run(command: string) {
    const env = { PATH: process.env['PATH'], HOME: home }
    return startNode([join(installed, 'bin/ngit-sync.js'), command], { env, cwd: home }).exited
  }
})

describe('the Containerfile', () => {
  const text = readFileSync(join(ROOT, 'Containerfile'), 'utf8')

  it('copies the tarball only, and starts a program that is in it', () => {
    expect([...text.matchAll(/^COPY (?!--from)(\S+)/gm)].map(([, path]) => path)).toEqual(['ngit-sync-*.tgz'])
    const [, started = ''] = /node_modules\/ngit-sync\/(\S+)"\]/.exec(text) ?? []
    expect(paths).toContain(started)
    const prefix = /--prefix (\S+)/.exec(text)?.[1]
    expect(text).toContain(`"${prefix}/lib/node_modules/ngit-sync/${started}"`)
  })

  it('runs without root, and keeps its state in a volume that this user may write', () => {
    expect(text).toMatch(/--owner=node .*\/state\n[^]*ENV XDG_STATE_HOME=\/state\nVOLUME \/state\nUSER node\n/)
  })
})

/** What `npm pack` would put into the tarball of this checkout, as it is built now. */
async function listPacked(): Promise<readonly Packed[]> {
  const options = ['--dry-run', '--json', '--ignore-scripts', '--offline', '--loglevel=error']
  const { stdout } = await promisify(execFile)('npm', ['pack', ...options], { cwd: ROOT, maxBuffer: 16 * 1024 ** 2 })
  const [tarball] = Object.values(JSON.parse(stdout) as Record<string, { files: readonly Packed[] }>)
  return tarball?.files ?? []
}

/** The files and directories that a page links to, from the root of the package, and the parts of `contrib` it names. */
function linksOf(page: string): string[] {
  const text = readFileSync(join(ROOT, page), 'utf8')
  const links = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, link = '']) => join(dirname(page), link))
  return [...links, ...[...text.matchAll(/\bcontrib\/[\w@./-]*\w/g)].map(([path]) => path)]
}

function isPacked(link: string): boolean {
  return paths.some((path) => path === link || path.startsWith(link.endsWith('/') ? link : `${link}/`))
}

/** A file of the checkout, and what it imports or names by a URL beside itself, to the end. */
function reachFrom(path: string, reached = new Set<string>()): Set<string> {
  if (reached.has(path)) return reached
  reached.add(path)
  for (const name of importsOf(path).filter((name) => name.startsWith('.'))) {
    reachFrom(join(dirname(path), name), reached)
  }
  return reached
}

function importsOf(path: string): string[] {
  if (!path.endsWith('.js')) return []
  const text = readFileSync(join(ROOT, path), 'utf8')
  return [...text.matchAll(IMPORTED)].map(([, name = '']) => name)
}

/** `@scope/name` of `@scope/name/part`. */
function packageOf(name: string): string {
  return name.split('/', name.startsWith('@') ? 2 : 1).join('/')
}

/** Whether the compiler left nothing of the module, because only types stood in it. */
function isEmptied(path: string): boolean {
  return readFileSync(join(ROOT, path), 'utf8').trim() === 'export {};'
}
