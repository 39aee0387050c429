import type { End } from './endpoint.ts'

/** Formats an end for the report. */
export function describeEnd(end: End): string {
  switch (end.type) {
    case 'eose':
      return 'eose'
    case 'closed':
      return end.reason === '' ? 'closed without a reason' : `closed: ${end.reason}`
    case 'idle':
      return `idle ${end.afterMs / 1000} s`
    case 'disconnected':
      return `disconnected: ${end.reason}`
    case 'aborted':
      return end.reason
  }
}
