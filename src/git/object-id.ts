import type { ObjectId } from './git-access.ts'

const SHA1 = /^[0-9a-f]{40}$/
const SHA256 = /^[0-9a-f]{64}$/

/** Whether this is the id of an object in this format: lower-case hex, as NIP-34 and git write it. */
export function isObjectId(text: string, format: 'sha1' | 'sha256' = 'sha1'): text is ObjectId {
  return (format === 'sha1' ? SHA1 : SHA256).test(text)
}
