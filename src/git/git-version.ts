import { SyncError } from '../errors.ts'
import { runGit, type GitHost } from './run-git.ts'

/** `http.curloptResolve` came with 2.37; 2.39 is the oldest that Debian and Ubuntu still look after. */
const OLDEST = [2, 39] as const
const HINT =
  'install git 2.39 or newer (apt install git, dnf install git, apk add git, brew install git) and see that it is in PATH'

/** Throws SyncError unless the system has a git that is new enough. */
export async function requireGit(host: GitHost): Promise<void> {
  const { code, stdout } = await runGit({ args: ['--version'], timeoutMs: 10_000, maxFileBytes: 0 }, host)
  if (code !== 0) throw new SyncError('git data needs the program git, which is not installed', { hint: HINT })
  if (isNewEnough(stdout)) return
  throw new SyncError(`git data needs git 2.39 or newer, and this is ${stdout.trim()}`, { hint: HINT })
}

function isNewEnough(said: string): boolean {
  const [, major = '0', minor = '0'] = /^git version (\d+)\.(\d+)/.exec(said) ?? []
  const [oldestMajor, oldestMinor] = OLDEST
  return Number(major) > oldestMajor || (Number(major) === oldestMajor && Number(minor) >= oldestMinor)
}
