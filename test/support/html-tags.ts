/** One start tag. */
export type Tag = { readonly name: string; readonly attributes: ReadonlyMap<string, string> }

const VOID = new Set(['meta', 'br', 'hr', 'img', 'link', 'input'])
const TAG = /<(\/?)([a-z][a-z0-9]*)((?:\s+[a-zA-Z-]+="[^"<>]*")*)\s*(\/?)>/y

/**
 * The start tags of an HTML document as ours are written, in their order. Throws Error where a tag is not closed, an
 * attribute not quoted, or a `<`, `>` or `&` stands loose.
 */
export function tagsOf(html: string): Tag[] {
  const tags: Tag[] = []
  const open: string[] = []
  let at = html.indexOf('>') + 1
  while (at < html.length) {
    const next = html.indexOf('<', at)
    const text = html.slice(at, next === -1 ? undefined : next)
    if (open.at(-1) !== 'style') requireSafe(text)
    if (next === -1) break
    TAG.lastIndex = next
    const [whole, slash, name = '', attributes = '', closed] = TAG.exec(html) ?? []
    if (whole === undefined) throw new Error(`not a tag: ${html.slice(next, next + 60)}`)
    if (slash === '/') {
      const last = open.pop()
      if (last !== name) throw new Error(`</${name}> closes <${String(last)}>`)
    } else {
      tags.push({ name, attributes: parseAttributes(attributes) })
      if (!VOID.has(name) && closed !== '/') open.push(name)
    }
    at = next + whole.length
  }
  if (open.length > 0) throw new Error(`not closed: ${open.join(', ')}`)
  return tags
}

function requireSafe(text: string): void {
  const loose = />|&(?!(?:amp|lt|gt|quot|#39);)/.exec(text)
  if (loose !== null) throw new Error(`loose ${loose[0]} in ${text.slice(0, 80)}`)
}

function parseAttributes(text: string): Map<string, string> {
  return new Map([...text.matchAll(/([a-zA-Z-]+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]))
}
