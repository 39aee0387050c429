import { isAlias, isNode, isPair, LineCounter, parseDocument, visit, type Document, type Node } from 'yaml'
import { looksLikeSecretKey } from '../parse/parse-secret.ts'

/** A parsed file: what reads a part of it asks where that part is, and tells its problems. */
export type ConfigReading = {
  readonly file: string
  readonly root: Node | null
  /** `file:line:column: problem`, in the order of their discovery. */
  readonly problems: readonly string[]
  /** Follows an alias to what it stands for; undefined for what is absent. */
  resolve(node: unknown): Node | undefined
  /** The line and column of a node, both from 1. */
  placeOf(node: unknown): { readonly line: number; readonly column: number }
  report(node: unknown, problem: string): void
}

const MAX_ALIASES = 100
const MAX_SYNTAX_PROBLEMS = 5

/** Parses YAML 1.2, and so JSON: no tags, one document, few aliases. What is wrong with it stands in `problems`. */
export function openConfig(text: string, file: string): ConfigReading {
  const lines = new LineCounter()
  const settings = { prettyErrors: false, schema: 'core', resolveKnownTags: false, logLevel: 'silent' } as const
  const document = parseDocument(text, { ...settings, lineCounter: lines })
  const placeAt = (offset: number): { line: number; column: number } => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }
  const problems: string[] = []
  const reportAt = (offset: number, problem: string): void => {
    const { line, column } = placeAt(offset)
    problems.push(`${file}:${line}:${column}: ${problem}`)
  }
  for (const { pos, message } of [...document.errors, ...document.warnings].slice(0, MAX_SYNTAX_PROBLEMS)) {
    reportAt(pos[0], looksLikeSecretKey(message) ? 'is not YAML' : `is not YAML as it should be: ${message}`)
  }
  if (problems.length === 0) reportAliases(document, reportAt)
  return {
    file,
    root: document.contents,
    problems,
    resolve: (node) => resolveNode(node, document),
    placeOf: (node) => placeAt(offsetOf(node)),
    report: (node, problem) => reportAt(offsetOf(node), problem),
  }
}

/** Each of them is looked up in the whole file. */
function reportAliases(document: Document.Parsed, reportAt: (offset: number, problem: string) => void): void {
  let count = 0
  visit(document, {
    Alias: (_, alias) => {
      count += 1
      if (count <= MAX_ALIASES) return undefined
      reportAt(offsetOf(alias), `has too many aliases: at most ${MAX_ALIASES}`)
      return visit.BREAK
    },
  })
}

function resolveNode(node: unknown, document: Document.Parsed): Node | undefined {
  if (isAlias(node)) return node.resolve(document)
  return isNode(node) ? node : undefined
}

function offsetOf(node: unknown): number {
  if (isPair(node)) return offsetOf(node.key)
  return isNode(node) ? (node.range?.[0] ?? 0) : 0
}
