import type { CloneProof } from '../git/git-access.ts'
import type { GitPlaceReport } from '../report/git-report.ts'
import type { Comparison } from './compare-refs.ts'

const NAMES_SHOWN = 10

/** What the report says of one URL. `proof`: of a whole clone, if there was one. */
export function describePlace(
  url: string,
  comparison: Comparison,
  { isTarget, proof }: { readonly isTarget: boolean; readonly proof?: CloneProof | undefined },
): GitPlaceReport {
  const { verdict, behind, missing, extra, head, reason } = comparison
  return {
    url,
    isTarget,
    verdict,
    behind: behind.slice(0, NAMES_SHOWN),
    missing: missing.slice(0, NAMES_SHOWN),
    extra: extra.slice(0, NAMES_SHOWN),
    counts: { behind: behind.length, missing: missing.length, extra: extra.length },
    head,
    reason,
    clone: proof === undefined ? null : describeProof(proof),
  }
}

function describeProof(proof: CloneProof): GitPlaceReport['clone'] {
  if (proof.type === 'sound') return { isSound: true, reason: null }
  const missing = proof.type === 'broken' && proof.missing.length > 0 ? ` (missing ${proof.missing.join(', ')})` : ''
  return { isSound: proof.type === 'broken' ? false : null, reason: `${proof.reason}${missing}` }
}
