/** Returns a sentence that begins with a capital. */
export function capitalize(sentence: string): string {
  return sentence.slice(0, 1).toUpperCase() + sentence.slice(1)
}
