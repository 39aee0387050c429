const HARMLESS = /^[A-Za-z0-9_./:@%+=][A-Za-z0-9_./:@%+=-]*$/
const PRINTABLE = /^[ -~]*$/

/**
 * Returns the text as one word of a shell command. What is not printable ASCII is written as bytes (`$'\342…'`, which
 * bash, zsh, ksh and busybox understand), so that no terminal changes or hides it.
 */
export function quoteShell(text: string): string {
  if (HARMLESS.test(text)) return text
  if (PRINTABLE.test(text)) return `'${text.replaceAll("'", String.raw`'\''`)}'`
  const bytes = [...Buffer.from(text)].map((byte) => {
    const isPlain = byte >= 0x20 && byte < 0x7f && byte !== 0x27 && byte !== 0x5c
    return isPlain ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, '0')}`
  })
  return `$'${bytes.join('')}'`
}
