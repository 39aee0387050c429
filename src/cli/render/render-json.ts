import { maskUrls } from '../mask-url.ts'
import type { ConfigOverview } from '../config/config-overview.ts'
import { toolVersion } from '../tool-version.ts'
import type { RelayInspection } from '../../relay/inspection.ts'
import type { Report } from '../../report/report.ts'
import type { Status } from '../../report/status.ts'
import type { WhyDocument } from './why-steps.ts'

/**
 * Characters that JSON allows in a text but that must not reach a terminal or a log: controls, line separators, bidi
 * and zero-width characters (rule 7).
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu

/** A run that failed, for scripts: exit code, error, and what to do. */
export type FailureDocument = {
  readonly version: 1
  /** The profile of the configuration file; absent without one. */
  readonly profile?: string | undefined
  readonly exit: number
  /** One line; several problems of a command line are joined by `; `. */
  readonly error: string
  readonly hint: string | null
}

/**
 * Renders a document as JSON on one line with a newline at its end, with the version of the program. Parsing gives back
 * every character.
 */
export function renderJson(
  document: Report | Status | WhyDocument | RelayInspection | ConfigOverview | FailureDocument,
): string {
  const { version, ...fields } = document
  return `${renderJsonValue({ version, toolVersion: toolVersion(), ...fields })}\n`
}

/** Renders a part of a document, without a newline. */
export function renderJsonValue(value: object | string): string {
  return JSON.stringify(value, maskStrings).replaceAll(UNSAFE, escapeUnits)
}

/** Query strings of URLs are never shown. */
function maskStrings(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? maskUrls(value) : value
}

/** JSON escapes UTF-16 units, so a character outside the BMP takes two. */
function escapeUnits(character: string): string {
  return character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')
}
