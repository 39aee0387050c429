// Finds what a mutant breaks by the name of the function around it, so that files may be moved and renamed.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import ts from 'typescript'

/**
 * The named pieces of all modules below `root`/src, as `{ name, file, start, text }`: functions and constants at the top
 * of a module, and members of classes as `Class.member` or `Class.#member`.
 */
export function readPieces(root) {
  const files = readdirSync(join(root, 'src'), { recursive: true }).filter((file) => file.endsWith('.ts'))
  return files.flatMap((file) => piecesOf(`src/${file}`, readFileSync(join(root, 'src', file), 'utf8')))
}

/** Where a mutant applies, each as `{ file, index, length }`; exactly one place unless the mutant is stale. */
export function findMutant({ in: name, from }, pieces) {
  const pattern = new RegExp(from instanceof RegExp ? from.source : toSource(from), 'g')
  return pieces
    .filter((piece) => piece.name === name)
    .flatMap(({ file, start, text }) =>
      [...text.matchAll(pattern)].map(({ index, 0: match }) => ({ file, index: start + index, length: match.length })),
    )
}

/** The text of a module with the mutant in it. */
export function applyMutant(whole, { to }, { index, length }) {
  return whole.slice(0, index) + to + whole.slice(index + length)
}

function piecesOf(file, whole) {
  const source = ts.createSourceFile(file, whole, ts.ScriptTarget.ES2023)
  const piece = (name, node) => {
    const start = node.getStart(source)
    return { name, file, start, text: whole.slice(start, node.end) }
  }
  return source.statements.flatMap((statement) => {
    if (ts.isFunctionDeclaration(statement)) return [piece(statement.name.text, statement)]
    if (ts.isVariableStatement(statement))
      return statement.declarationList.declarations.map((each) => piece(each.name.getText(source), each))
    if (!ts.isClassDeclaration(statement)) return []
    return statement.members.map((each) =>
      piece(`${statement.name.text}.${each.name?.getText(source) ?? 'constructor'}`, each),
    )
  })
}

/** A line may be broken elsewhere tomorrow: any white space stands for any other. */
function toSource(text) {
  return text
    .split(/\s+/)
    .map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('\\s+')
}
