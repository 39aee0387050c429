import { parseFileName } from './parse-endpoint.ts'
import { wrong, type Parsed } from './parsed.ts'

/** Parses the name of the page of a report, whose ending says how it is written. */
export function parsePageName(text: string): Parsed<string> {
  if (!/\.(?:html?|md)$/i.test(text)) return wrong('is no page: give a name that ends in .html or .md')
  return parseFileName(text)
}
