import type { LookupAddress } from 'node:dns'
import { guardResolver, resolveBySystem } from '../relay/socket/guarded-lookup.ts'
import type { GitUrl } from './git-url.ts'

/** The host resolves to an address that may not be dialled, or not at all. */
export class HostError extends Error {
  readonly isRefused: boolean

  constructor(message: string, isRefused: boolean) {
    super(message)
    this.isRefused = isRefused
  }
}

/**
 * The addresses of the host, each allowed; sockets and git dial only these, so a second DNS answer cannot slip in.
 * Throws HostError, or the reason of the signal.
 */
export async function resolveHost(url: GitUrl, signal: AbortSignal): Promise<readonly LookupAddress[]> {
  let isRefused = false
  const isAllowed = (address: string): boolean => {
    const allowed = url.isAllowed(address)
    isRefused ||= !allowed
    return allowed
  }
  const found = guardResolver(resolveBySystem, isAllowed)(url.hostname)
  try {
    return await unlessAborted(found, signal)
  } catch (error) {
    if (signal.aborted) throw signal.reason
    throw new HostError(error instanceof Error ? error.message : String(error), isRefused)
  }
}

function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const interrupt = (): void => reject(signal.reason as Error)
    if (signal.aborted) interrupt()
    signal.addEventListener('abort', interrupt, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', interrupt))
  })
}
