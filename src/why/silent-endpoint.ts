import type { Page, RelayEndpoint } from '../relay/endpoint.ts'

/** Returns a stand-in for a relay that cannot be asked: every question ends with the reason. */
export function createSilentEndpoint(url: string, reason: string): RelayEndpoint {
  const silence: Page = { rows: [], end: { type: 'disconnected', reason }, bytes: 0 }
  return {
    kind: 'relay',
    url,
    open: () => Promise.resolve({ supportedNips: [], supportedGrasps: [], documentError: reason }),
    request: () => Promise.resolve(silence),
    publish: () => Promise.resolve({ type: 'unanswered', reason, isUnsent: true }),
    close: () => Promise.resolve(),
    notices: () => [],
    settleEnds: () => Promise.resolve(),
    givenUp: () => reason,
    hasReturned: () => false,
    strangeness: () => undefined,
    learntLimits: () => ({}),
    requestsAtOnce: () => 1,
    waitedMs: () => 0,
  }
}
