import { describeLearnt } from '../relay/describe-learnt.ts'
import type { Run } from './run.ts'

const LONG_WAIT_SECONDS = 10

/** Relays that limit questions make a run long; without a word nobody would know why. */
export function noteLimits({ target, sources, ledger }: Run): void {
  for (const { endpoint } of [target, ...sources.map(({ peer }) => peer)]) {
    if (endpoint.kind === 'file') continue
    for (const limit of describeLearnt(endpoint.learntLimits())) ledger.note(`${endpoint.url} ${limit}`)
    const seconds = Math.round(endpoint.waitedMs() / 1000)
    if (seconds < LONG_WAIT_SECONDS) continue
    ledger.note(`Asking ${endpoint.url} took ${seconds} s longer: it limits how many questions it answers.`)
  }
}
