/** The problem with a text, as the end of a sentence: `is not a time: give …`. */
export type Wrong = {
  readonly type: 'wrong'
  readonly problem: string
  /** The text must not be repeated, because it may hold a key or a password. */
  readonly secret: boolean
}

/** The result of parsing one text. */
export type Parsed<T> = { readonly type: 'ok'; readonly value: T } | Wrong

/** Parses one value as typed by the operator. */
export type Parser<T> = (text: string) => Parsed<T>

/** The parsed value. */
export function ok<T>(value: T): Parsed<T> {
  return { type: 'ok', value }
}

/** Returns a problem whose sentence starts with the option and the text. */
export function wrong(problem: string): Wrong {
  return { type: 'wrong', problem, secret: false }
}

/** Like `wrong`, for a text that may hold a key or a password: the sentence starts with the option alone. */
export function wrongSecret(problem: string): Wrong {
  return { type: 'wrong', problem, secret: true }
}

/** Returns a parser for one of a few words. */
export function parseChoice<T extends string>(...choices: readonly T[]): Parser<T> {
  return (text) => {
    const found = choices.find((choice) => choice === text.toLowerCase())
    return found === undefined ? wrong(`is not one of ${choices.join(', ')}`) : ok(found)
  }
}

/** Parses a switch. The command line always passes `true`; the environment and the file may pass anything. */
export function parseSwitch(text: string): Parsed<boolean> {
  const word = text.toLowerCase()
  if (['1', 'true', 'yes', 'on'].includes(word)) return ok(true)
  return ['0', 'false', 'no', 'off'].includes(word) ? ok(false) : wrong('is not a switch: give true or false')
}

/** Whether the text turns a switch on; false for a text that is wrong. */
export function isOn(text: string): boolean {
  const parsed = parseSwitch(text)
  return parsed.type === 'ok' && parsed.value
}
