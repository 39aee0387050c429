import ts from 'typescript'

/**
 * A lint rule: every public member of a class is used in src, not by tests alone. (knip finds exports that nothing uses,
 * but no members of classes.) A member is used where it is named, and where a type has a member of the same name that is.
 */
export const noDeadMembers = {
  meta: { type: 'problem', messages: { dead: 'nothing in src uses {{ name }}' }, schema: [] },
  create({ report, sourceCode }) {
    const { program, esTreeNodeToTSNodeMap } = sourceCode.parserServices
    const check = (node) => {
      const member = esTreeNodeToTSNodeMap.get(node)
      if (member.name === undefined || !ts.isIdentifier(member.name)) return
      const { declarations, names } = usesIn(program)
      if (!declarations.has(member) && !names.has(member.name.text))
        report({ node: node.key, messageId: 'dead', data: { name: member.name.text } })
    }
    return { MethodDefinition: check, PropertyDefinition: check }
  },
}

const uses = new WeakMap()

/** The members that src names anywhere, and the names of those that belong to types, which a class may have as well. */
function usesIn(program) {
  const known = uses.get(program)
  if (known !== undefined) return known
  const found = { declarations: new Set(), names: new Set() }
  uses.set(program, found)
  const checker = program.getTypeChecker()
  const visit = (node) => {
    if (ts.isIdentifier(node) && !isDeclared(node)) {
      for (const declaration of symbolOf(node, checker)?.declarations ?? []) {
        found.declarations.add(declaration)
        if (isMemberOfType(declaration)) found.names.add(node.text)
      }
    }
    ts.forEachChild(node, visit)
  }
  const root = `${program.getCurrentDirectory()}/src/`
  for (const source of program.getSourceFiles()) if (source.fileName.startsWith(root)) visit(source)
  return found
}

/** What a name stands for; in `{ name } = value` the member that is read, not the constant that it becomes. */
function symbolOf(name, checker) {
  const { parent } = name
  const isRead = ts.isBindingElement(parent) && (parent.propertyName ?? parent.name) === name
  return isRead ? checker.getTypeAtLocation(parent.parent).getProperty(name.text) : checker.getSymbolAtLocation(name)
}

function isDeclared(name) {
  return (ts.isClassElement(name.parent) || isMemberOfType(name.parent)) && name.parent.name === name
}

function isMemberOfType(node) {
  return ts.isPropertySignature(node) || ts.isMethodSignature(node)
}
