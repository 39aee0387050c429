import { suggestSimilar } from '../../scope/suggest.ts'
import { ALL_OPTIONS, CHOOSERS, type OptionSpec } from '../parse/option-table.ts'
import { looksLikeSecretKey } from '../parse/parse-secret.ts'
import { keyOf } from '../parse/raw-values.ts'

const PARTS = ['defaults', 'profiles']
const SETTABLE = ALL_OPTIONS.filter((spec) => !CHOOSERS.includes(spec))
const SECRET_NAME =
  /^(?:(?:secret|private|nostr)?-?key|n?sec|nsec|ncryptsec|secret|(?:key-)?pass(?:word|wd|phrase)?|token|auth)$/

/** What is said of a secret key or password in the file. */
export const MISPLACED_SECRET =
  'a secret does not belong in this file: write it to a file of its own with mode 600, and give the name of that as key-file'

/** The option that a key of the file sets; otherwise what is wrong with the key. */
export function findOption(key: string): OptionSpec | string {
  const spec = SETTABLE.find((option) => keyOf(option) === key)
  if (spec !== undefined) return spec
  const kebab = kebabOf(key)
  if (looksLikeSecretKey(key) || SECRET_NAME.test(kebab)) return MISPLACED_SECRET
  if (key === '<<') return 'merging maps is not supported: what is common belongs under defaults'
  if (CHOOSERS.some((option) => keyOf(option) === kebab)) {
    return `"${key}" cannot be set in the file that it chooses: give it on the command line or as a variable`
  }
  return `unknown option "${key}"${didYouMean(suggestSimilar(kebab, SETTABLE.map(keyOf)))}`
}

/** What is wrong with a key at the top of the file. */
export function unknownPartProblem(key: string): string {
  const option = findOption(key)
  if (typeof option !== 'string') return `"${key}" belongs under defaults, or under a profile below profiles`
  if (option === MISPLACED_SECRET) return option
  return `unknown part "${key}": the file has the parts defaults and profiles${didYouMean(suggestSimilar(key, PARTS))}`
}

/** `--keyFile`, `key_file` → `key-file`. */
function kebabOf(key: string): string {
  return key
    .replace(/^-+/, '')
    .replaceAll('_', '-')
    .replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
    .replace(/^-/, '')
}

function didYouMean(key: string | undefined): string {
  return key === undefined ? '' : `: did you mean ${key}?`
}
