import { findDistrust } from './certificates.ts'
import type { GitEnd } from './run-git.ts'

const MAX_CHARS = 300

/** Why git failed, in its own and the server's words (unescaped), or which limit of ours it met. */
export function describeEnd({ code, stderr, stopped }: GitEnd): string {
  if (stopped === 'timeout') return 'it took too long'
  if (stopped === 'too large') return 'it is too large'
  if (stopped === 'used up') return 'it would take more than the run may fetch (--max-git-bytes)'
  if (/mismatched algorithms|hash algorithm|object.format/i.test(stderr)) return NO_SHA256
  if (/could not read Username/.test(stderr)) return 'HTTP 401: it wants a password (private, or not there)'
  const distrust = findDistrust(stderr)
  if (distrust !== undefined) return distrust
  const lines = stderr.split('\n').map((line) => line.trim())
  const words = lines.filter((line) => /^(remote|fatal|error): ./.test(line))
  const text = [...new Set(words)].map((line) => line.replace(/^(fatal|error): /, '')).join('; ')
  if (text !== '') return text.slice(0, MAX_CHARS)
  return code === null ? 'git was killed' : `git ended with code ${code}`
}

/** What is said of a repository whose object ids are SHA-256. */
export const NO_SHA256 = 'SHA-256 repositories are not supported'
