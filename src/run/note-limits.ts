import { describeLearnt } from '../relay/describe-learnt.ts'
import type { Run } from './run.ts'

const LONG_WAIT_SECONDS = 10

/** Notes which relays limit questions and how much time that took: else nobody could tell why the run was long. */
export function noteLimits({ target, sources, ledger }: Run): void {
  for (const { endpoint } of [target, ...sources.map(({ peer }) => peer)]) {
    if (endpoint.kind === 'file') continue
    for (const limit of describeLearnt(endpoint.learntLimits())) ledger.note(`${endpoint.url} ${limit}`)
    const seconds = Math.round(endpoint.waitedMs() / 1000)
    if (seconds < LONG_WAIT_SECONDS) continue
    ledger.note(`Asking ${endpoint.url} took ${seconds} s longer: it limits how many questions it answers.`)
  }
}
