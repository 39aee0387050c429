import { spawn, type ChildProcess } from 'node:child_process'
import type { LookupAddress } from 'node:dns'
import { kill } from 'node:process'
import { literalAddress } from '../relay/socket/public-address.ts'
import type { GitUrl } from './git-url.ts'

/*
 * The only door to the system's git. It reads nobody's configuration and sees nothing of the environment but PATH, so
 * that no proxy, credential, rewritten URL or trace of the user takes part; it speaks http and https only, and to the
 * addresses that were checked. It runs in a process group of its own, which is killed as a whole.
 */

/** One start of git. */
export type GitStart = {
  readonly args: readonly string[]
  /** The bare repository that it works on; none for `init` and `--version`. */
  readonly repository?: string
  readonly stdin?: string
  /** The server that it may dial, at these addresses. */
  readonly server?: { readonly url: GitUrl; readonly addresses: readonly LookupAddress[] }
  /** Configuration beside what always holds, as `name=value`. */
  readonly config?: readonly string[]
  readonly timeoutMs: number
  /** No file that it writes grows beyond this: exact, by the kernel. */
  readonly maxFileBytes: number
  /** Called every `WATCH_MS`; git ends when it returns true. */
  readonly isOver?: () => boolean
}

/** How git ended: by itself with a code (null if a signal ended it), or by a limit of ours: `used up` is the run's. */
export type GitEnd = {
  readonly code: number | null
  readonly stdout: string
  /** Its end, at most 8 KiB; foreign text. */
  readonly stderr: string
  readonly stopped: 'timeout' | 'too large' | 'used up' | null
}

/** Where programs are found, and what ends them all. */
export type GitHost = { readonly path: string; readonly signal: AbortSignal }

const NOWHERE = '/dev/null'
const WATCH_MS = 100
const MAX_STDERR_CHARS = 8 * 1024
const MAX_STDOUT_CHARS = 8 * 1024 ** 2
/** POSIX counts `ulimit -f` in these. */
const BLOCK_BYTES = 512

/**
 * Bounds files, then runs git beside a watcher: when this process dies, whatever kills it, the pipe at 3 ends, and the
 * watcher ends the whole group. Otherwise a git would go on to fetch for nobody, where the next run works already.
 */
const SCRIPT = `
ulimit -c 0; ulimit -f "$1" || exit 126; shift
exec 4<&0
"$@" <&4 3<&- 4<&- &
git=$!
(read -r nothing <&3; kill -9 0) 4<&- >/dev/null 2>&1 &
watcher=$!
wait "$git"; code=$?
kill -9 "$watcher" 2>/dev/null; wait "$watcher" 2>/dev/null
exit "$code"`

const ENVIRONMENT = {
  LC_ALL: 'C',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: NOWHERE,
  GIT_ATTR_NOSYSTEM: '1',
  // Emptier than an empty directory: nothing can be below it, now or later.
  HOME: NOWHERE,
  XDG_CONFIG_HOME: NOWHERE,
  GIT_TERMINAL_PROMPT: '0',
  GIT_ASKPASS: 'false',
  GIT_ALLOW_PROTOCOL: 'http:https',
  GIT_NO_REPLACE_OBJECTS: '1',
  // An object in a pack may claim any size: git gives up instead of asking for so much memory at once.
  GIT_ALLOC_LIMIT: '512m',
}

const CONFIG = [
  'protocol.allow=never',
  'protocol.http.allow=always',
  'protocol.https.allow=always',
  'protocol.version=2',
  'http.followRedirects=false',
  'http.proxy=',
  // A server that is busy with a large repository says a few bytes every five seconds; one that says none is given up.
  'http.lowSpeedLimit=1',
  'http.lowSpeedTime=60',
  'credential.helper=',
  `core.hooksPath=${NOWHERE}`,
  // Larger objects go to disk as they come, and are not held in memory.
  'core.bigFileThreshold=32m',
  'pack.threads=1',
  'transfer.fsckObjects=true',
  'transfer.bundleURI=false',
  'fetch.unpackLimit=1',
  'gc.auto=0',
  'maintenance.auto=false',
  // Harmless slips of old tools that servers have taken for many years.
  'fetch.fsck.zeroPaddedFilemode=ignore',
  'fetch.fsck.badTimezone=ignore',
  'fetch.fsck.missingSpaceBeforeDate=ignore',
  'fetch.fsck.missingNameBeforeEmail=ignore',
]

/** Runs git. Rejects with the signal's reason when aborted, and when no shell can be started. */
export function runGit(start: GitStart, { path, signal }: GitHost): Promise<GitEnd> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error)
    const child = spawn('/bin/sh', shellArguments(start), {
      env: { ...ENVIRONMENT, PATH: path, ...(start.repository === undefined ? {} : { GIT_DIR: start.repository }) },
      // Not the repository: that may be deleted at any time, and then it is git that says so.
      cwd: '/',
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    })
    const [stdout, stderr] = [gather(child.stdout, MAX_STDOUT_CHARS), gather(child.stderr, MAX_STDERR_CHARS)]
    let stopped: GitEnd['stopped'] = null
    const stop = (why: GitEnd['stopped']): void => {
      stopped ??= why
      killGroup(child)
    }
    const timer = setTimeout(() => stop('timeout'), start.timeoutMs)
    const watch = setInterval(() => start.isOver?.() === true && stop('too large'), WATCH_MS)
    const abort = (): void => killGroup(child)
    signal.addEventListener('abort', abort)
    const finish = (): void => {
      clearTimeout(timer)
      clearInterval(watch)
      signal.removeEventListener('abort', abort)
    }
    child.on('error', (error) => {
      finish()
      reject(error)
    })
    child.on('close', (code) => {
      finish()
      if (signal.aborted) reject(signal.reason as Error)
      else resolve({ code, stdout: stdout(), stderr: stderr(), stopped })
    })
    // It may end before it has read all.
    child.stdin.on('error', () => undefined).end(start.stdin ?? '')
  })
}

function shellArguments({ args, server, config = [], maxFileBytes }: GitStart): readonly string[] {
  const blocks = Math.max(1, Math.ceil(maxFileBytes / BLOCK_BYTES))
  const settings = [...CONFIG, ...config, ...(server === undefined ? [] : pinOf(server))]
  const git = ['git', ...settings.flatMap((setting) => ['-c', setting]), ...args]
  return ['-c', SCRIPT, 'sh', String(blocks), ...git]
}

/**
 * Makes curl dial what was checked, whatever the name resolves to by then. An address in the place of a name resolves to
 * nothing else, and curl understands no pin for one of IPv6.
 */
function pinOf({ url, addresses }: NonNullable<GitStart['server']>): string[] {
  if (literalAddress(url.hostname) !== undefined) return []
  const all = addresses.map(({ address, family }) => (family === 6 ? `[${address}]` : address))
  return [`http.curloptResolve=${url.hostname}:${url.port}:${all.join(',')}`]
}

/** Keeps the end of what a stream says. */
function gather(stream: NodeJS.ReadableStream, maxChars: number): () => string {
  let text = ''
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    text = (text + chunk).slice(-maxChars)
  })
  return () => text
}

/** Git starts programs that may outlive it: until all of them have closed their output, the group is ours. */
function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return
  try {
    kill(-pid, 'SIGKILL')
  } catch (error) {
    // The group ended in the meantime.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
