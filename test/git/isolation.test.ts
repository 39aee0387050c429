import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'

import { SyncError } from '../../src/errors.ts'
import { readGitUrl, type GitUrl } from '../../src/git/git-url.ts'
import { runGit } from '../../src/git/run-git.ts'
import { startFront } from '../support/front-server.ts'
import { createGitRepository } from '../support/git-repository.ts'
import { startGitServer } from '../support/git-server.ts'
import { startHostileGitServer } from '../support/hostile-git-server.ts'
import { waitFor } from '../support/wait-for.ts'
import { gitAccess, named, temporaryDirectory } from './git-scene.ts'

const NPUB = 'npub1alice'
const PATH = process.env['PATH'] ?? ''

afterEach(() => vi.unstubAllEnvs())

async function hostRepository() {
  const server = await startGitServer()
  const repository = await createGitRepository('hello')
  await server.host(NPUB, 'hello', repository)
  return { server, repository, place: named(server.urlOf(NPUB, 'hello')) }
}

/** A directory with a program `git`; its path ends with that of the real one. */
function fakeGit(script: string): string {
  const directory = temporaryDirectory()
  writeFileSync(join(directory, 'git'), `#!/bin/sh\n${script}\n`)
  chmodSync(join(directory, 'git'), 0o755)
  return directory
}

/** Whether a process runs; one that has ended may wait for ever to be noticed by a parent that died. */
function isRunning(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' })
  return !/^(Z.*)?$/.test(stdout.trim())
}

describe("git and the user's surroundings", () => {
  it('takes no part of the configuration and the environment: the proxy and the rewritten URL get no request', async () => {
    const { place, repository } = await hostRepository()
    const victim = await startHostileGitServer()
    const home = temporaryDirectory()
    const trace = join(home, 'trace')
    const touched = join(home, 'touched')
    const config = [
      `[url "${victim.url}"]\n insteadOf = ${place.url}\n pushInsteadOf = ${place.url}`,
      `[http]\n proxy = ${victim.url}\n followRedirects = true`,
      `[credential]\n helper = !touch ${touched}`,
      `[core]\n hooksPath = ${home}\n askPass = ${join(home, 'ask')}`,
    ].join('\n')
    writeFileSync(join(home, '.gitconfig'), config)
    mkdirSync(join(home, 'git'))
    writeFileSync(join(home, 'git', 'config'), config)
    writeFileSync(join(home, '.netrc'), 'default login alice password secret\n')
    const hostile = {
      HOME: home,
      XDG_CONFIG_HOME: home,
      http_proxy: victim.url,
      HTTP_PROXY: victim.url,
      https_proxy: victim.url,
      ALL_PROXY: victim.url,
      GIT_TRACE: trace,
      GIT_TRACE_CURL: trace,
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'http.proxy',
      GIT_CONFIG_VALUE_0: victim.url,
      GIT_CONFIG_PARAMETERS: `'http.proxy=${victim.url}'`,
      GIT_DIR: home,
      GIT_OBJECT_DIRECTORY: home,
      GIT_PROXY_COMMAND: `touch ${touched}`,
      GIT_SSH_COMMAND: `touch ${touched}`,
      GIT_EXEC_PATH: home,
    }
    for (const [name, value] of Object.entries(hostile)) vi.stubEnv(name, value)
    const access = gitAccess()
    const workshop = await access.openWorkshop('30617:a:hello')
    const ids = [repository.commit]
    expect(await access.listRefs(place)).toMatchObject({ type: 'refs' })
    expect(await workshop.fetch(place, ids, new Set(ids))).toEqual({ reason: null, isTooLarge: false })
    expect(await access.proveClone(place)).toEqual({ type: 'sound' })
    expect(await workshop.push(place, [{ ref: 'refs/heads/x', to: repository.commit }])).toMatchObject({
      type: 'denied',
    })
    expect(victim.asked).toEqual([])
    expect(() => readFileSync(trace)).toThrow('ENOENT')
    expect(() => readFileSync(touched)).toThrow('ENOENT')
  })

  it('gives git these variables and no others', async () => {
    vi.stubEnv('NGIT_SYNC_KEY', 'nsec1secret')
    const file = join(temporaryDirectory(), 'environment')
    const directory = fakeGit(`env | sort > ${file}; echo git version 2.39.0`)
    await runGit(
      { args: ['--version'], timeoutMs: 5_000, maxFileBytes: 1024 ** 2 },
      { path: `${directory}:${PATH}`, signal: new AbortController().signal },
    )
    const lines = readFileSync(file, 'utf8').split('\n')
    expect(lines).toEqual(expect.arrayContaining(['HOME=/dev/null', 'XDG_CONFIG_HOME=/dev/null']))
    const names = lines.map((line) => line.split('=')[0])
    // What the shell itself sets is beside them.
    expect(names.filter((name) => !['', 'PWD', 'OLDPWD', 'SHLVL', '_'].includes(name ?? ''))).toEqual([
      'GIT_ALLOC_LIMIT',
      'GIT_ALLOW_PROTOCOL',
      'GIT_ASKPASS',
      'GIT_ATTR_NOSYSTEM',
      'GIT_CONFIG_GLOBAL',
      'GIT_CONFIG_NOSYSTEM',
      'GIT_NO_REPLACE_OBJECTS',
      'GIT_TERMINAL_PROMPT',
      'HOME',
      'LC_ALL',
      'PATH',
      'XDG_CONFIG_HOME',
    ])
  })

  it.each([
    'ext::sh -c touch% x',
    'ssh://example.invalid/x',
    'git://127.0.0.1/x',
    'file:///etc',
    '/etc',
    'ftp://127.0.0.1/x',
  ])('speaks http and https only, not %s', async (url) => {
    const end = await runGit(
      { args: ['ls-remote', '--', url], timeoutMs: 5_000, maxFileBytes: 1024 ** 2 },
      { path: PATH, signal: new AbortController().signal },
    )
    expect(end.stderr).toMatch(/transport '\w+' not allowed/)
  })
})

describe('the address that git dials', () => {
  const listAt = async (url: string, address: string) => {
    const read = readGitUrl(named(url), false) as GitUrl
    const end = await runGit(
      {
        args: ['ls-remote', '--', read.href],
        server: { url: read, addresses: [{ address, family: address.includes(':') ? 6 : 4 }] },
        timeoutMs: 10_000,
        maxFileBytes: 1024 ** 2,
      },
      { path: PATH, signal: new AbortController().signal },
    )
    return end.code === 0 ? end.stdout : end.stderr
  }

  it('is the one that was checked, whatever the name resolves to', async () => {
    const { server, repository } = await hostRepository()
    const url = `http://git.example.invalid:${server.port}/${NPUB}/hello.git`
    expect(await listAt(url, '127.0.0.1')).toContain(repository.commit)
    expect(await listAt(`http://localhost:${server.port}/${NPUB}/hello.git`, '127.0.0.2')).toContain(
      'Failed to connect',
    )
    expect(await listAt(`http://git.example.invalid:${server.port}/x.git`, '::1')).toContain('Failed to connect')
    const port = await startFront(server.port, { host: '::1' })
    expect(await listAt(`http://git.example.invalid:${port}/${NPUB}/hello.git`, '::1')).toContain(repository.commit)
  })
})

describe('the git of the system', () => {
  it('is missing: the message says what to install', async () => {
    const opening = gitAccess({ path: temporaryDirectory() }).openWorkshop('30617:a:hello')
    await expect(opening).rejects.toBeInstanceOf(SyncError)
    await expect(opening).rejects.toMatchObject({
      message: 'git data needs the program git, which is not installed',
      hint: expect.stringContaining('install git 2.39 or newer'),
    })
  })

  it.each(['2.38.5', '1.9.0', '2.9.5', 'nonsense'])('is too old as %s', async (version) => {
    const path = fakeGit(`echo git version ${version}`)
    await expect(gitAccess({ path }).proveClone(named('http://127.0.0.1:1/x.git'))).rejects.toThrow(
      `git data needs git 2.39 or newer, and this is git version ${version}`,
    )
  })

  it.each(['2.39.0', '2.50.1 (Apple Git-155)', '3.0.0'])('is new enough as %s', async (version) => {
    const path = fakeGit(`case "$*" in *--version*) echo "git version ${version}";; *) exit 1;; esac`)
    await expect(gitAccess({ path }).openWorkshop('30617:a:x')).rejects.toThrow('create a git repository')
  })

  it('is not needed to list refs', async () => {
    const { place } = await hostRepository()
    expect(await gitAccess({ path: temporaryDirectory() }).listRefs(place)).toMatchObject({ type: 'refs' })
  })

  it('is ended with all that it started, and what it says is bounded', async () => {
    const pids = join(temporaryDirectory(), 'pids')
    const path = `${fakeGit(`echo $$ > ${pids}; sh -c 'echo $$ >> ${pids}; exec sleep 1000' & yes | head -c 1000000 >&2; wait`)}:${PATH}`
    const end = await runGit(
      { args: ['--version'], timeoutMs: 1_000, maxFileBytes: 1024 ** 2 },
      { path, signal: new AbortController().signal },
    )
    expect(end).toMatchObject({ code: null, stopped: 'timeout' })
    expect(end.stderr.length).toBe(8 * 1024)
    const started = readFileSync(pids, 'utf8').trim().split('\n').map(Number)
    expect(started.length).toBe(2)
    await waitFor(() => started.every((pid) => !isRunning(pid)))
  })
})
