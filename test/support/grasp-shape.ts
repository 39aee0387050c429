import type { NostrEvent } from '../../src/nostr/event.ts'
import { idOf, isSigned } from './sign.ts'

const EVENT_BYTES_MOST = 196_608

/** Why ngit-grasp 3.0.10 takes an event from nobody, by what is in it alone, in its order of checks. */
export function judgeShape(event: NostrEvent): string | undefined {
  const size = Buffer.byteLength(JSON.stringify(event))
  if (size > EVENT_BYTES_MOST) {
    return `blocked: event size (${size} bytes) exceeds maximum allowed size (${EVENT_BYTES_MOST} bytes)`
  }
  if (idOf(event) !== event.id) return 'invalid: invalid event ID'
  const expiration = Number(valueOf(event, 'expiration') ?? Infinity)
  if (expiration <= Date.now() / 1000) return 'blocked: event is expired'
  if ([6, 16].includes(event.kind) && isProtectedText(event.content)) return 'blocked: repost of a protected event'
  if (event.kind === 1_059 && event.tags.filter(([name]) => name === 'p').length !== 1) {
    return 'blocked: GiftWrap must contain exactly one recipient public key'
  }
  if (!isSigned(event)) return 'invalid: invalid event signature'
  if (event.tags.some(([name]) => name === '-')) return 'auth-required: you must auth'
  return event.kind === 30_617 || event.kind === 30_618 ? judgeIdentifier(event) : undefined
}

function judgeIdentifier(event: NostrEvent): string | undefined {
  const d = valueOf(event, 'd')
  if (d === undefined) return "invalid: Missing required 'd' tag (identifier)"
  const wrong = 'invalid: Invalid identifier: identifier'
  if (d === '') return `${wrong} must not be empty`
  if (d.includes('\0')) return `${wrong} '${d}' contains a null byte`
  if (d.includes('/')) return `${wrong} '${d}' contains path separator '/'`
  if (d === '.' || d === '..') return `${wrong} '${d}' is a reserved path component`
  if (event.tags.filter(([name]) => name === 'clone').length > 1) {
    return 'invalid: Invalid announcement: multiple clone tags found. correct format is single clone tag with multiple values'
  }
  return undefined
}

function valueOf({ tags }: NostrEvent, name: string): string | undefined {
  return tags.find((tag) => tag[0] === name)?.[1]
}

function isProtectedText(content: string): boolean {
  try {
    const { tags } = JSON.parse(content) as Pick<NostrEvent, 'tags'>
    return tags.some(([name]) => name === '-')
  } catch {
    // A repost need not contain the event.
    return false
  }
}
