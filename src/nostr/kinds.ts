/** Kinds by name: NIP-01, 09, 22, 34, 51 and 62. */
export const KIND = {
  note: 1,
  deletion: 5,
  vanishRequest: 62,
  comment: 1111,
  patch: 1617,
  pullRequest: 1618,
  pullRequestUpdate: 1619,
  issue: 1621,
  statusOpen: 1630,
  statusApplied: 1631,
  statusClosed: 1632,
  statusDraft: 1633,
  graspList: 10317,
  announcement: 30617,
  state: 30618,
} as const

/** The largest valid kind (NIP-01). */
export const MAX_KIND = 65_535

/** The kinds of a root, the event that starts a thread (NIP-34). */
export const ROOT_KINDS: readonly number[] = [KIND.patch, KIND.pullRequest, KIND.issue]

/** Whether events of this kind can have their own comments and statuses in layer 3. */
export function isRootKind(kind: number): boolean {
  return ROOT_KINDS.includes(kind)
}

/** Whether relays keep only the newest of this kind per author (NIP-01). */
export function isReplaceable(kind: number): boolean {
  return kind === 0 || kind === 3 || (kind >= 10_000 && kind < 20_000)
}

/** Whether relays keep only the newest of this kind per author and `d` (NIP-01). */
export function isAddressable(kind: number): boolean {
  return kind >= 30_000 && kind < 40_000
}

/** Whether relays never store this kind (NIP-01). */
export function isEphemeral(kind: number): boolean {
  return kind >= 20_000 && kind < 30_000
}
