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

type JsonDocument = Report | Status | WhyDocument | RelayInspection | ConfigOverview | FailureDocument

/**
 * Renders a document as JSON on one line with a newline at its end, with the version of the program. Parsing gives back
 * every character.
 */
export function renderJson(document: JsonDocument): string {
  return [...jsonPieces(document)].join('')
}

/** The same in pieces, in which lists that lie on disk are not in memory as a whole. */
export function* jsonPieces(document: JsonDocument): Generator<string> {
  const { version, ...fields } = document
  yield* valuePieces({ version, toolVersion: toolVersion(), ...fields })
  yield '\n'
}

/** Renders a part of a document, without a newline. */
export function renderJsonValue(value: unknown): string {
  return escapeUnsafe(JSON.stringify(value, maskStrings))
}

function* valuePieces(value: unknown): Generator<string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) yield renderJsonValue(value)
  else if (Symbol.iterator in value) yield* listPieces(value as Iterable<unknown>)
  else yield* fieldPieces(value)
}

function* listPieces(list: Iterable<unknown>): Generator<string> {
  let before = '['
  for (const value of list) {
    yield before + renderJsonValue(value)
    before = ','
  }
  yield before === '[' ? '[]' : ']'
}

function* fieldPieces(fields: object): Generator<string> {
  let before = '{'
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue
    yield `${before}${escapeUnsafe(JSON.stringify(name))}:`
    yield* valuePieces(value)
    before = ','
  }
  yield before === '{' ? '{}' : '}'
}

/** Query strings of URLs are never shown. */
function maskStrings(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? maskUrls(value) : value
}

function escapeUnsafe(json: string): string {
  return json.replaceAll(UNSAFE, escapeUnits)
}

/** JSON escapes UTF-16 units, so a character outside the BMP takes two. */
function escapeUnits(character: string): string {
  return character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')
}
