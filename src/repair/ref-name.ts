/** Longer names fit into no file system. */
const MAX_BYTES = 1_024
/** One component of a path, in bytes; git adds `.lock`. */
const MAX_COMPONENT_BYTES = 250
// What `git check-ref-format` forbids: controls, blank, and the letters of revisions and globs.
// eslint-disable-next-line no-control-regex
const FORBIDDEN = /[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\p{Surrogate}/u

/** Whether git takes this as the full name of a ref (`git check-ref-format`). */
export function isRefName(name: string): boolean {
  if (FORBIDDEN.test(name) || Buffer.byteLength(name) > MAX_BYTES) return false
  const components = name.split('/')
  return components.length > 1 && !name.endsWith('.') && components.every(isComponent)
}

function isComponent(part: string): boolean {
  return (
    part !== '' && !part.startsWith('.') && !part.endsWith('.lock') && Buffer.byteLength(part) <= MAX_COMPONENT_BYTES
  )
}
