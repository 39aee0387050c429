import { homedir } from 'node:os'
import { dirname, isAbsolute, join } from 'node:path'
import { isScalar, isSeq, type Node, type Scalar, type YAMLMap } from 'yaml'
import { OPTIONS, type OptionSpec } from '../parse/option-table.ts'
import { parseEndpoint } from '../parse/parse-endpoint.ts'
import { looksLikeSecretKey } from '../parse/parse-secret.ts'
import { fileOrigin, keyOf, type RawValue, type RawValues } from '../parse/raw-values.ts'
import { findOption, MISPLACED_SECRET } from './config-keys.ts'
import type { ConfigReading } from './config-reading.ts'

type Pair = YAMLMap['items'][number]

/** The options of one map of the file: of a profile, or of `defaults` (`profile` undefined). */
export function readSection(pairs: readonly Pair[], profile: string | undefined, reading: ConfigReading): RawValues {
  return new Map(pairs.flatMap((pair) => readOption(pair, profile, reading)))
}

function readOption(pair: Pair, profile: string | undefined, reading: ConfigReading): [OptionSpec, RawValue][] {
  const { key, value } = pair
  const spec = isScalar(key)
    ? findOption(key.source ?? String(key.value))
    : 'the name of an option is not a map or list'
  if (typeof spec === 'string') {
    reading.report(key, spec)
    return []
  }
  const found = reading.resolve(value)
  if (found === undefined) {
    reading.report(value ?? key, `${keyOf(spec)} needs a value: there is none here`)
    return []
  }
  const nodes = listScalars(spec, found, reading)
  const texts = nodes.map((node) => readText(spec, node, reading))
  if (nodes.length === 0 || texts.includes(undefined)) return []
  const places = nodes.map((node) => ({ file: reading.file, profile, ...reading.placeOf(node) }))
  const [first] = places
  if (first === undefined) return []
  return [[spec, { texts: texts.filter((text) => text !== undefined), origin: fileOrigin(spec, first), places }]]
}

/** The one value, or those of a list; none after a problem. */
function listScalars(spec: OptionSpec, node: Node, reading: ConfigReading): Scalar[] {
  if (isScalar(node)) return [node]
  if (!isSeq(node)) return wrongShape(node, `${keyOf(spec)} takes a value, not a map`, reading)
  if (!spec.repeatable) return wrongShape(node, `${keyOf(spec)} takes one value, not a list`, reading)
  if (node.items.length === 0) return wrongShape(node, `${keyOf(spec)} needs a value: the list is empty`, reading)
  return node.items.flatMap((item) => {
    const value = reading.resolve(item)
    return isScalar(value) ? [value] : wrongShape(value ?? node, `${keyOf(spec)} takes a list of plain values`, reading)
  })
}

function wrongShape(node: Node, problem: string, reading: ConfigReading): [] {
  reading.report(node, problem)
  return []
}

/** As it is written, so that numbers stay what they are; `undefined` after a problem. */
function readText(spec: OptionSpec, node: Scalar, reading: ConfigReading): string | undefined {
  const text = node.type === 'PLAIN' ? (node.source ?? '') : quotedText(node)
  if (isSecret(spec, text)) {
    reading.report(node, MISPLACED_SECRET)
    return undefined
  }
  if (spec.value !== null && typeof node.value === 'boolean') {
    reading.report(node, `${keyOf(spec)} takes a value (${spec.value}), not ${text}`)
    return undefined
  }
  if (node.value === null || text === '') {
    reading.report(node, `${keyOf(spec)} needs a value`)
    return undefined
  }
  return isFileName(spec, text) ? besideFile(text, reading.file) : text
}

function quotedText({ value }: Scalar): string {
  return typeof value === 'string' ? value : ''
}

/** 64 hex digits are a public key where authors and repositories are named. */
function isSecret(spec: OptionSpec, text: string): boolean {
  const isPublic = spec === OPTIONS.author || spec === OPTIONS.repo
  return isPublic ? /n(?:crypt)?sec1/i.test(text) : looksLikeSecretKey(text)
}

/** Endpoints that are mistyped relays stay as they are, for the message. */
function isFileName(spec: OptionSpec, text: string): boolean {
  if (text === '-' || /^[a-z][a-z0-9+.-]*:/i.test(text)) return false
  if (spec.value?.startsWith('FILE') === true) return true
  return (spec === OPTIONS.source || spec === OPTIONS.target) && parseEndpoint(text).type === 'ok'
}

/** A run from cron starts in any directory: names are relative to the file that they stand in. */
function besideFile(text: string, file: string): string {
  if (text.startsWith('~/')) return join(homedir(), text.slice(2))
  return isAbsolute(text) ? text : join(dirname(file), text)
}
