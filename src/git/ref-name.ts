/** Longer names are refused: no state event can sensibly name one. */
const MAX_BYTES = 1024
/**
 * What no name may hold: control characters, a space, what git's revision syntax uses, empty components, half
 * characters, and a dash at the beginning, which git's commands read as an option.
 */
const FORBIDDEN = /^-|[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\/\/|\p{Surrogate}/u

/** Whether this is the full name of a ref, by the rules of `git check-ref-format`, and at most 1,024 bytes long. */
export function isRefName(name: string): boolean {
  if (FORBIDDEN.test(name) || name.endsWith('.') || Buffer.byteLength(name) > MAX_BYTES) return false
  const components = name.split('/')
  return components.length > 1 && components.every(isComponent)
}

function isComponent(component: string): boolean {
  return component !== '' && !component.startsWith('.') && !component.endsWith('.lock')
}
